/* Charges every car in its cheapest slots, solved by the program. */
#include "voltide_policy.h"

static int32_t create(const voltide_host *host, voltide_text config, void **self) {
    voltide_text name = VOLTIDE_TEXT(VOLTIDE_STORAGE_SERVICE);
    (void)config;
    *self = (void *)host->extension(host->context, name);
    return *self ? VOLTIDE_STATUS_OK : VOLTIDE_STATUS_ERROR;
}

static int32_t plan(void *self, const voltide_observation *seen, voltide_schedules *answer) {
    const voltide_storage *storage = self;
    voltide_storage_problems problems = {
        .size = sizeof problems, .method = VOLTIDE_STORAGE_V1G, .slot_hours = seen->slot_hours,
        .origin_slot = seen->tick, .horizon = seen->horizon, .rows = seen->stays,
        .tariffs = seen->tariffs, .buy_price = seen->buy_price, .tariff_id = seen->tariff_id,
        .end_slot = seen->departure_slot, .energy_kwh = seen->energy_kwh,
        .energy_kwh_min = seen->energy_kwh_min, .energy_kwh_max = seen->energy_kwh_max,
        .target_kwh = seen->departure_energy_kwh, .charge_kw_max = seen->charge_kw_max,
        .charge_efficiency = seen->charge_efficiency,
        .discharge_efficiency = seen->discharge_efficiency,
    };
    voltide_storage_answers answers = {
        .size = sizeof answers, .rows = seen->stays, .horizon = seen->horizon,
        .power_kw = answer->power_kw,
    };
    return storage->solve(storage->context, &problems, &answers);
}

static const voltide_policy POLICY = {
    .size = sizeof POLICY, .major = VOLTIDE_ABI_MAJOR, .minor = VOLTIDE_ABI_MINOR,
    .magic = VOLTIDE_MAGIC, .name = VOLTIDE_TEXT("cheapest"), .version = VOLTIDE_TEXT("1.0"),
    .create = create, .plan = plan,
};

const voltide_policy *voltide_policy_v1(uint16_t major, uint16_t minor) {
    (void)minor;
    return major == VOLTIDE_ABI_MAJOR ? &POLICY : NULL;
}
