/* The policy `template`: charges every car at once, as fast as it can, until it has what it needs. */
#include "voltide_policy.h"

static double least(double a, double b) { return a < b ? a : b; }

/* Rows are stays; the answer has one value a slot for each, kW, positive charges, 0 before. */
static int32_t plan(void *self, const voltide_observation *seen, voltide_schedules *answer) {
    (void)self;
    for (uint32_t row = 0; row < seen->stays; row++) {
        double *power_kw = answer->power_kw + (size_t)row * answer->horizon;
        double target = least(seen->departure_energy_kwh[row], seen->energy_kwh_max[row]);
        double missing_kwh = (target - seen->energy_kwh[row]) / seen->charge_efficiency[row];
        uint32_t arrival = seen->arrival_slot[row], end = seen->departure_slot[row] - seen->tick;
        uint32_t slot = arrival > seen->tick ? arrival - seen->tick : 0;
        for (; slot < end && slot < answer->horizon && missing_kwh > 1e-9; slot++) {
            power_kw[slot] = least(seen->charge_kw_max[row], missing_kwh / seen->slot_hours);
            missing_kwh -= power_kw[slot] * seen->slot_hours;
        }
    }
    return VOLTIDE_STATUS_OK;
}

/* Without config and memory, no `create` and `destroy` are needed. */
static const voltide_policy POLICY = {
    .size = sizeof POLICY,
    .major = VOLTIDE_ABI_MAJOR,
    .minor = VOLTIDE_ABI_MINOR,
    .magic = VOLTIDE_MAGIC,
    .name = VOLTIDE_TEXT("template"),
    .version = VOLTIDE_TEXT("0.1.0"),
    .plan = plan,
};

const voltide_policy *voltide_policy_v1(uint16_t major, uint16_t minor) {
    (void)minor;
    return major == VOLTIDE_ABI_MAJOR ? &POLICY : NULL;
}
