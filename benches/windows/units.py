"""What each kind of unit adds to a window's program: equations (21) to (29) and (36) to (43).

A unit is added with where it stands before the first slot (`before`: `output_kw`, `energy_kwh`,
`on`, `hours` on or off) and what the window asks of it (`asked`: `on` slot by slot or None where
the window decides, `reference_kw`, `ends`: slots, stored energy and its price, `next`: the path's
row for the slot after the last, `leads_on`: between what the store's path leads on).
"""

from ron import quantity

CHORDS = 10


class Unit:
    """Columns of a unit: what it gives, and what it could give up and down, as terms by slot."""

    def __init__(self, program, window, name, world):
        self.program, self.window, self.name, self.world = program, window, name, world
        self.given = [[] for _ in window.slots]
        self.up = [([], 0.0) for _ in window.slots]
        self.down = [([], 0.0) for _ in window.slots]

    def of(self, field, default=None):
        return quantity(self.world.get(field, default))

    def bounded(self, *limits):
        """A column below each of some limits, which are terms and a constant."""
        column = self.program.column(least=-float("inf"))
        for terms, constant in limits:
            self.program.row([(1.0, column)] + [(-f, c) for f, c in terms], most=constant)
        return [(1.0, column)], 0.0


class Renewable(Unit):
    """(28), (29), (39), (41): what is delivered costs the one and saves the other."""

    def add(self, before, asked, series):
        available = series[0]
        price, waste = self.of("cost", 0.0), self.of("waste_price", 0.0)
        hours = self.window.hours
        self.program.constant += waste * hours * sum(available)
        for slot, most in enumerate(available):
            delivered = self.program.column((price - waste) * hours, most=most)
            self.given[slot] = [(1.0, delivered)]
            if self.window.readings.get("vre_down", "Physical") == "Physical":
                self.up[slot] = ([(-1.0, delivered)], most)
                self.down[slot] = ([(1.0, delivered)], 0.0)
            else:
                self.down[slot] = ([(-1.0, delivered)], most)


class MustTake(Unit):
    """Output that nobody steers: a column that is what it is."""

    def add(self, before, asked, series):
        for slot, value in enumerate(series[0]):
            price = self.of("cost", 0.0) * self.window.hours
            self.given[slot] = [(1.0, self.program.column(price, value, value))]


class Interruptible(Unit):
    """(27), (40)."""

    def add(self, before, asked, _):
        most = self.of("power_max")
        for slot in self.window.slots:
            shed = self.program.column(self.of("price") * self.window.hours, most=most)
            self.given[slot] = [(1.0, shed)]
            physical = self.window.readings.get("cut_up", "Physical") == "Physical"
            self.up[slot] = ([(-1.0, shed)] if physical else [], most)


class Exchange(Unit):
    """Imports at a price, exports at another; it supplies no flexibility."""

    def add(self, before, asked, series):
        hours = self.window.hours
        for slot, (buys, sells) in enumerate(zip(series[0], series[-1])):
            imports = self.program.column(buys * hours, most=self.of("import_max"))
            exports = self.program.column(-sells * hours, most=self.of("export_max", 0.0))
            self.given[slot] = [(1.0, imports), (-1.0, exports)]


class Store(Unit):
    """(23) to (26), (38), (43)."""

    def add(self, before, asked, _):
        program, hours = self.program, self.window.hours
        gain = self.of("charge_efficiency", 1.0) * hours
        loss = hours / self.of("discharge_efficiency", 1.0)
        held, start = [], before["energy_kwh"]
        least, most = min(self.of("energy_min", 0.0), start), max(self.of("energy_max"), start)
        price = self.of("throughput_cost", 0.0) * hours
        for slot in self.window.slots:
            charge = program.column(price, most=self.of("charge_max"))
            discharge = program.column(price, most=self.of("discharge_max"))
            held.append(program.column(least=least, most=most))
            # One way at a time: the slot's convex hull, or a whole number that chooses.
            way = program.column(most=1.0, whole=self.window.one_way)
            program.row([(1.0, charge), (-self.of("charge_max"), way)], most=0.0)
            discharge_max = self.of("discharge_max")
            program.row([(1.0, discharge), (discharge_max, way)], most=discharge_max)
            terms = [(1.0, held[slot]), (-gain, charge), (loss, discharge)]
            earlier = [] if slot == 0 else [(-1.0, held[slot - 1])]
            constant = start if slot == 0 else 0.0
            program.row(terms + earlier, constant, constant)
            self.given[slot] = [(1.0, discharge), (-1.0, charge)]
            self.supply(slot, charge, discharge, held[slot], gain, loss)
        for slot, wish, price in asked["ends"]:
            missing = program.column(price or 0.0, most=0.0 if price is None else float("inf"))
            program.row([(1.0, held[slot]), (1.0, missing)], least=wish)
        if asked["leads_on"] is not None:
            least, most = asked["leads_on"]
            astray = [program.column(self.window.slack["unserved"]) for _ in range(2)]
            program.row([(1.0, held[-1]), (1.0, astray[0])], least=least)
            program.row([(1.0, held[-1]), (-1.0, astray[1])], most=most)

    def supply(self, slot, charge, discharge, held, gain, loss):
        output = [(1.0, discharge), (-1.0, charge)]
        back = [(-1.0, discharge), (1.0, charge)]
        reachable = self.window.readings.get("flex_storage", "Reachable") == "Reachable"
        least, most = self.of("energy_min", 0.0), self.of("energy_max")
        self.up[slot] = self.bounded(
            (back, self.of("discharge_max")),
            ([(1 / loss, held)] + (back if reachable else []), -least / loss),
        )
        self.down[slot] = self.bounded(
            (output, self.of("charge_max")),
            ([(-1 / gain, held)] + (output if reachable else []), most / gain),
        )


class Thermal(Unit):
    """(21), (22), (37), with commitment where the world has one."""

    def add(self, before, asked, _):
        self.step = self.of("ramp") * self.window.hours
        self.low, self.high = self.of("power_min", 0.0), self.of("power_max")
        self.edge = max(self.low, min(self.step, self.high))
        cost = self.world["cost"]
        self.cost = tuple(quantity(cost.get(part, 0.0)) for part in "abc")
        how = self.world.get("commitment")
        decides = how is not None and asked["on"] is None
        on = self.commit(how, before) if decides else self.fixed(how, before, asked["on"])
        self.output = [self.program.column(most=self.high) for _ in self.window.slots]
        for slot in self.window.slots:
            self.pay(slot, on[slot])
            self.given[slot] = [(1.0, self.output[slot])]
            if self.program.most[on[slot]] == 0.0:
                continue
            ramp = ([(self.step, on[slot])], 0.0)
            room_up = ([(self.high, on[slot]), (-1.0, self.output[slot])], 0.0)
            room_down = ([(1.0, self.output[slot]), (-self.low, on[slot])], 0.0)
            self.up[slot] = self.bounded(ramp, room_up)
            self.down[slot] = self.bounded(ramp, room_down)
        self.ramps(on, before)
        self.stay_close(asked, on)
        self.lead_on(asked["next"], on[-1])

    def pay(self, slot, on):
        """(37) on chords between least and most output."""
        a, b, c = self.cost
        hours = self.window.hours
        count = CHORDS if a else 1
        width = (self.high - self.low) / count
        terms = [(1.0, self.output[slot]), (-self.low, on)]
        for chord in range(count if width > 0 else 0):
            slope = 2 * a * (self.low + (chord + 0.5) * width) + b
            used = self.program.column(slope * hours, most=width)
            self.program.row([(1.0, used), (-width, on)], most=0.0)
            terms.append((-1.0, used))
        self.program.price[on] += ((a * self.low + b) * self.low + c) * hours
        self.program.row(terms, 0.0, 0.0)

    def fixed(self, how, before, on):
        """Columns of a commitment that is given; starts in it are paid."""
        on = [True for _ in self.window.slots] if on is None else on
        earlier = [before["on"]] + on[:-1]
        starts = sum(now and not was for now, was in zip(on, earlier))
        self.program.constant += (how or {}).get("start_cost", 0.0) * starts
        return [self.program.column(least=float(now), most=float(now)) for now in on]

    def commit(self, how, before):
        """Whole numbers, 1 while it is on, with starts, stops and least times."""
        program, slots, hours = self.program, self.window.slots, self.window.hours
        on = [program.column(most=1.0, whole=True) for _ in slots]
        starts = [program.column(how.get("start_cost", 0.0), most=1.0) for _ in slots]
        stops = [program.column(most=1.0) for _ in slots]
        up, down = (quantity(how.get(name, "0 h")) for name in ("up_min", "down_min"))
        count = lambda least: max(1, -int(-(least / hours - 1e-9) // 1))
        was = float(before["on"])
        for slot in slots:
            earlier = [] if slot == 0 else [(-1.0, on[slot - 1])]
            constant = was if slot == 0 else 0.0
            terms = [(1.0, on[slot]), (-1.0, starts[slot]), (1.0, stops[slot])]
            program.row(terms + earlier, constant, constant)
            recent = lambda columns, least: columns[max(0, slot + 1 - count(least)) : slot + 1]
            program.row([(1.0, it) for it in recent(starts, up)] + [(-1.0, on[slot])], most=0.0)
            program.row([(1.0, it) for it in recent(stops, down)] + [(1.0, on[slot])], most=1.0)
        left = (up if before["on"] else down) - before["hours"]
        for slot in slots[: count(left) if left > 0 else 0]:
            program.row([(1.0, on[slot])], was, was)
        return on

    def ramps(self, on, before):
        """What is known before the first slot counts; a start or stop reaches to `edge` at most."""
        for slot in self.window.slots:
            known = slot > 0 or before["output_kw"] is not None
            if not known or self.step >= self.high:
                continue
            was = [(1.0, self.output[slot - 1])] if slot else []
            was_kw = 0.0 if slot else before["output_kw"] * before["on"]
            was_on = [(1.0, on[slot - 1])] if slot else []
            was_on_1 = 0.0 if slot else float(before["on"])
            rise = [(1.0, self.output[slot])] + [(-f, c) for f, c in was]
            # P_t - P_(t-1) <= R·u_(t-1) + S·(1 - u_(t-1)), and the same downwards by u_t.
            back = [((self.edge - self.step) * f, c) for f, c in was_on]
            limit = self.edge - (self.edge - self.step) * was_on_1 + was_kw
            self.program.row(rise + back, most=limit)
            fall = [(-1.0, self.output[slot])] + was + [(self.edge - self.step, on[slot])]
            self.program.row(fall, most=self.edge - was_kw)

    def stay_close(self, asked, on):
        band = self.of("deviation_max")
        if band is None or asked["reference_kw"] is None:
            return
        for slot, reference in enumerate(asked["reference_kw"]):
            if self.program.most[on[slot]] == 0.0:
                continue
            excess = self.program.column(self.window.slack["deviation"] * self.window.hours)
            self.program.row([(1.0, self.output[slot]), (-1.0, excess)], most=reference + band)
            self.program.row([(1.0, self.output[slot]), (1.0, excess)], least=reference - band)

    def lead_on(self, path, on):
        """A last output from which no ramp leads to the path costs as an hour of load unserved."""
        if path is None or self.program.most[on] == 0.0:
            return
        least, most = self.low, self.edge
        if path["on"]:
            inside = lambda output: min(max(output, self.low), self.high)
            least = inside(path["output_kw"] - self.step)
            most = inside(path["output_kw"] + self.step)
        half_window = 0.5 * len(self.output) * self.window.hours
        astray = self.program.column(self.window.slack["unserved"] * max(half_window, 1.0))
        self.program.row([(1.0, self.output[-1]), (-1.0, astray)], most=most)
        self.program.row([(1.0, self.output[-1]), (1.0, astray)], least=least)


KINDS = {
    "wind": Renewable, "pv": Renewable, "must_take": MustTake, "thermal": Thermal,
    "pumped_hydro": Store, "batteries": Store, "interruptible": Interruptible,
    "exchanges": Exchange,
}
