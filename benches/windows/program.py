"""A linear or mixed-integer program that is written down row by row, and solved by HiGHS."""

import numpy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array


class Program:
    """Columns with a price and bounds, and rows over them; the objective has a constant."""

    def __init__(self):
        self.price, self.least, self.most, self.whole = [], [], [], []
        self.entries, self.row_least, self.row_most = [], [], []
        self.constant = 0.0

    def column(self, price=0.0, least=0.0, most=numpy.inf, whole=False):
        """Adds a column; gives its number."""
        self.price.append(price)
        self.least.append(least)
        self.most.append(most)
        self.whole.append(whole)
        return len(self.price) - 1

    def row(self, terms, least=-numpy.inf, most=numpy.inf):
        """Adds a row over `terms`, pairs of a factor and a column."""
        number = len(self.row_least)
        self.entries += [(number, column, factor) for factor, column in terms]
        self.row_least.append(least)
        self.row_most.append(most)

    def solve(self, gap):
        """The least cost, a bound on it, and the values of the columns."""
        rows, columns, factors = zip(*self.entries)
        shape = (len(self.row_least), len(self.price))
        matrix = csr_array((factors, (rows, columns)), shape=shape)
        found = milp(
            numpy.array(self.price),
            integrality=numpy.array(self.whole, dtype=int),
            bounds=Bounds(self.least, self.most),
            constraints=LinearConstraint(matrix, self.row_least, self.row_most),
            options={"mip_rel_gap": gap},
        )
        if found.x is None:
            raise RuntimeError(found.message)
        bound = found.fun if found.mip_dual_bound is None else found.mip_dual_bound
        return found.fun + self.constant, bound + self.constant, found.x
