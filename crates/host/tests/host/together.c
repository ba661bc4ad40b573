/* Charges cars alone at once, and together where they are shown as a tree of sites. */
#include <stddef.h>
#include "voltide_policy.h"

static int32_t create(const voltide_host *host, voltide_text config, void **self) {
    voltide_text name = VOLTIDE_TEXT(VOLTIDE_STORAGE_SERVICE);
    (void)config;
    const voltide_storage *storage = host->extension(host->context, name);
    /* A program of before version 1.3 has a shorter table. */
    if (!storage || storage->size <= offsetof(voltide_storage, solve_group)) {
        return VOLTIDE_STATUS_ERROR;
    }
    *self = (void *)storage;
    return VOLTIDE_STATUS_OK;
}

static int32_t plan(void *self, const voltide_observation *seen, voltide_schedules *answer) {
    const voltide_storage *storage = self;
    if (seen->shown_as != VOLTIDE_SHOWN_TREE) {
        for (uint32_t row = 0; row < seen->stays; ++row) {
            answer->power_kw[(size_t)row * seen->horizon] = seen->charge_kw_max[row];
        }
        return VOLTIDE_STATUS_OK;
    }
    voltide_storage_problems problems = {
        .size = sizeof problems, .slot_hours = seen->slot_hours, .origin_slot = seen->tick,
        .horizon = seen->horizon, .rows = seen->stays, .tariffs = seen->tariffs,
        .buy_price = seen->buy_price, .tariff_id = seen->tariff_id,
        .end_slot = seen->departure_slot, .energy_kwh = seen->energy_kwh,
        .energy_kwh_min = seen->energy_kwh_min, .energy_kwh_max = seen->energy_kwh_max,
        .target_kwh = seen->departure_energy_kwh, .charge_kw_max = seen->charge_kw_max,
        .charge_efficiency = seen->charge_efficiency,
        .discharge_efficiency = seen->discharge_efficiency,
    };
    voltide_storage_sites sites = {
        .size = sizeof sites, .rows = seen->stays, .horizon = seen->horizon, .sites = seen->sites,
        .site_id = seen->site_id, .parent_site = seen->parent_site,
        .import_kw_max = seen->site_import_kw_max, .export_kw_max = seen->site_export_kw_max,
        .given_kw = seen->site_others_kw, .planned_kw = seen->planned_kw,
    };
    voltide_storage_answers answers = {
        .size = sizeof answers, .rows = seen->stays, .horizon = seen->horizon,
        .power_kw = answer->power_kw,
    };
    return storage->solve_group(storage->context, &problems, &sites, &answers, NULL);
}

static const voltide_policy POLICY = {
    .size = sizeof POLICY, .major = VOLTIDE_ABI_MAJOR, .minor = VOLTIDE_ABI_MINOR,
    .magic = VOLTIDE_MAGIC, .name = VOLTIDE_TEXT("together"), .version = VOLTIDE_TEXT("1.0"),
    .flags = VOLTIDE_FLAG_WHOLE_TREE, .create = create, .plan = plan,
};

const voltide_policy *voltide_policy_v1(uint16_t major, uint16_t minor) {
    (void)minor;
    return major == VOLTIDE_ABI_MAJOR ? &POLICY : NULL;
}
