/* Charges every car with half of what its charger can, until departure. */
#include "voltide_policy.h"

static int32_t plan(void *self, const voltide_observation *seen, voltide_schedules *answer) {
    (void)self;
    for (uint32_t row = 0; row < seen->stays; row++) {
        uint32_t slots = seen->departure_slot[row] - seen->tick;
        for (uint32_t slot = 0; slot < slots && slot < seen->horizon; slot++)
            answer->power_kw[(size_t)row * answer->horizon + slot] = seen->charge_kw_max[row] / 2;
    }
    return VOLTIDE_STATUS_OK;
}

static const voltide_policy POLICY = {
    .size = sizeof POLICY, .major = VOLTIDE_ABI_MAJOR, .magic = VOLTIDE_MAGIC,
    .name = VOLTIDE_TEXT("half-speed"), .version = VOLTIDE_TEXT("1.2"), .replan_slots = 4, .plan = plan,
};

const voltide_policy *voltide_policy_v1(uint16_t major, uint16_t minor) {
    (void)minor;
    return major == VOLTIDE_ABI_MAJOR ? &POLICY : NULL;
}
