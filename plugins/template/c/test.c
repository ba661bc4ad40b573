/* Asks the policy about one car, and looks at its answer. */
#include "policy.c"
#include <stdio.h>

int main(void) {
    const uint32_t arrival_slot = 0, departure_slot = 32;
    const double energy = 40, energy_max = 60, target = 44, charge_max = 7, efficiency = 1;
    const voltide_observation seen = {
        .size = sizeof seen, .slot_hours = 0.25, .horizon = 5, .stays = 1,
        .arrival_slot = &arrival_slot, .departure_slot = &departure_slot,
        .energy_kwh = &energy, .energy_kwh_max = &energy_max,
        .departure_energy_kwh = &target, .charge_kw_max = &charge_max, .charge_efficiency = &efficiency,
    };
    double power_kw[5] = {0};
    voltide_schedules answer = {.size = sizeof answer, .stays = 1, .horizon = 5, .power_kw = power_kw};
    const double expected[5] = {7, 7, 2, 0, 0};

    int failed = voltide_policy_v1(VOLTIDE_ABI_MAJOR, 0)->plan(NULL, &seen, &answer) != VOLTIDE_STATUS_OK;
    for (int slot = 0; slot < 5; slot++)
        failed |= power_kw[slot] != expected[slot];
    puts(failed ? "FAILED: the car does not charge at once" : "ok: the car charges at once");
    return failed;
}
