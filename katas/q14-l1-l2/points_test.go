package l1l2_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

type points struct{ x, y []float64 }

type line struct{ intercept, slope float64 }

func (l line) String() string { return fmt.Sprintf("%.6g %+.6g·x", l.intercept, l.slope) }

func (l line) at(x float64) float64 { return l.intercept + l.slope*x }

func (p points) absoluteErrors(l line) float64 {
	var total float64
	for i, x := range p.x {
		total += math.Abs(p.y[i] - l.at(x))
	}
	return total
}

// with returns p and one point more.
func (p points) with(x, y float64) points {
	return points{append(slices.Clone(p.x), x), append(slices.Clone(p.y), y)}
}

// telephone reads the international calls from Belgium, millions a year, against the year less 1900. good leaves out
// 1964–69, when another quantity was recorded.
func telephone(t testing.TB) (all, good points) {
	t.Helper()
	f, err := os.Open("testdata/phones.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		year, err := strconv.ParseFloat(row[0], 64)
		require.NoError(t, err)
		calls, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		all = all.with(year, calls)
		if year < 64 || year > 69 {
			good = good.with(year, calls)
		}
	}
	require.Len(t, all.x, 24)
	require.Len(t, good.x, 18)
	return all, good
}

// leastSum is the least sum of absolute errors of any line, by linear programming: minimise Σ(u+v) with
// a + b·x + u − v = y and u, v ≥ 0, where a and b are differences of non-negative variables.
func (p points) leastSum(t testing.TB) float64 {
	t.Helper()
	n := len(p.x)
	cost := make([]float64, 4+2*n)
	equations := mat.NewDense(n, 4+2*n, nil)
	for i, x := range p.x {
		equations.SetRow(i, append([]float64{1, -1, x, -x}, make([]float64, 2*n)...))
		equations.Set(i, 4+i, 1)
		equations.Set(i, 4+n+i, -1)
		cost[4+i], cost[4+n+i] = 1, 1
	}
	least, _, err := lp.Simplex(cost, equations, p.y, 1e-12, nil)
	require.NoError(t, err)
	return least
}

// bestLines returns every line through two of the points whose sum of absolute errors is least, compared without rounding. The best
// lines of all form a convex set in (intercept, slope) whose corners are these, so that the only one here is the only best line.
func (p points) bestLines() []line {
	exact := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	var least *big.Rat
	var best []line
	for i := range p.x {
		for j := range i {
			run := new(big.Rat).Sub(exact(p.x[i]), exact(p.x[j]))
			if run.Sign() == 0 {
				continue
			}
			slope := new(big.Rat).Sub(exact(p.y[i]), exact(p.y[j]))
			slope.Quo(slope, run)
			total := new(big.Rat)
			for k := range p.x { // the residual of point k from the line through point i
				rise := new(big.Rat).Sub(exact(p.x[k]), exact(p.x[i]))
				r := new(big.Rat).Sub(exact(p.y[k]), exact(p.y[i]))
				r.Sub(r, rise.Mul(rise, slope))
				total.Add(total, r.Abs(r))
			}
			order := -1
			if least != nil {
				order = total.Cmp(least)
			}
			intercept := new(big.Rat).Sub(exact(p.y[i]), new(big.Rat).Mul(slope, exact(p.x[i])))
			var l line
			l.intercept, _ = intercept.Float64()
			l.slope, _ = slope.Float64()
			switch {
			case order < 0:
				least, best = total, []line{l}
			case order == 0 && !slices.Contains(best, l):
				best = append(best, l)
			}
		}
	}
	return best
}

// bestOf returns the line through two of the points that has the least cost, of those pairs that are allowed.
func (p points) bestOf(allowed func(i, j int) bool, cost func(r []float64) float64) line {
	least := math.Inf(1)
	var best line
	for i := range p.x {
		for j := range i {
			if p.x[i] == p.x[j] || !allowed(i, j) {
				continue
			}
			slope := (p.y[i] - p.y[j]) / (p.x[i] - p.x[j])
			l := line{p.y[i] - slope*p.x[i], slope}
			r := make([]float64, len(p.x))
			for k, x := range p.x {
				r[k] = p.y[k] - l.at(x)
			}
			if c := cost(r); c < least {
				least, best = c, l
			}
		}
	}
	return best
}
