package l1l2_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/figure"
	l1l2 "whyhow/katas/q14-l1-l2"
)

func fit(of func(x, y []float64) (float64, float64), p points) line {
	intercept, slope := of(check.Copy(p.x), check.Copy(p.y))
	return line{intercept, slope}
}

func TestWhyRobust(t *testing.T) {
	defer check.Rescue(t)
	all, good := telephone(t)

	goodL1, goodL2 := fit(l1l2.LeastAbsolute, good), fit(l1l2.LeastSquares, good)
	allL1, allL2 := fit(l1l2.LeastAbsolute, all), fit(l1l2.LeastSquares, all)
	t.Logf("18 good years: L1 %.2f %+.3f·year, L2 %.4f %+.5f·year", goodL1.intercept, goodL1.slope, goodL2.intercept, goodL2.slope)
	t.Logf("all 24 years, six of them wrong: L1 %.2f %+.3f·year with sum %.1f, L2 %.4f %+.4f·year", allL1.intercept, allL1.slope,
		all.absoluteErrors(allL1), allL2.intercept, allL2.slope)
	const seventy = 14 // the place of 1970, of which a part was recorded wrongly too
	fewer := points{slices.Delete(check.Copy(good.x), seventy, seventy+1), slices.Delete(check.Copy(good.y), seventy, seventy+1)}
	t.Logf("17 years, without 1970: L1 slope %.3f, L2 slope %.3f", fit(l1l2.LeastAbsolute, fewer).slope, fit(l1l2.LeastSquares, fewer).slope)
	best := all.bestLines()
	t.Logf("%d lines through two points reach the least sum: %v", len(best), best)
	// No line with the least sum is steeper than 1.622 or flatter than 1.157; least squares gives 1.304 without the wrong years.
	require.InDelta(t, 1.39, allL1.slope, 0.24, "six wrong years moved the L1 slope from %v to %v", goodL1.slope, allL1.slope)
	require.Greater(t, allL2.slope, 3*goodL2.slope, "six wrong years moved the L2 slope from %v to %v only", goodL2.slope, allL2.slope)

	lever := good.with(500, 0)
	leverL1, leverL2 := fit(l1l2.LeastAbsolute, lever), fit(l1l2.LeastSquares, lever)
	t.Logf("18 good years and the point (500, 0): L1 slope %.4f, L2 slope %.4f", leverL1.slope, leverL2.slope)
	require.Less(t, leverL1.slope, 0.0, "one far x did not turn the L1 line")
	require.Less(t, leverL2.slope, 0.0, "one far x did not turn the L2 line")

	x, moved, y := l1l2.FlipPair()
	before, after := points{x, y}, points{moved, y}
	lifted := points{x, check.Copy(y)}
	var step float64
	for i := range x {
		if d := moved[i] - x[i]; d != 0 {
			step = d
			lifted.y[i] += d
		}
	}
	beforeL1, afterL1, liftedL1 := fit(l1l2.LeastAbsolute, before), fit(l1l2.LeastAbsolute, after), fit(l1l2.LeastAbsolute, lifted)
	beforeL2, afterL2 := fit(l1l2.LeastSquares, before), fit(l1l2.LeastSquares, after)
	t.Logf("one point moved by %.1e in x: L1 slope %.4f -> %.4f, L2 slope moves by %.1e; moved in y instead: L1 slope moves by %.1e",
		step, beforeL1.slope, afterL1.slope, afterL2.slope-beforeL2.slope, liftedL1.slope-beforeL1.slope)
	// The bounds hold for every pair that TestFlipPair accepts. L2: |Δslope| ≤ Δx·(|yᵢ−ȳ| + 2|slope|·|xᵢ−x̄|)/Sxx < 0.1 for coordinates
	// up to 100 that lie 0.1 apart. L1 in y: the slope of a line through two points moves by Δy/0.1 at most.
	require.Greater(t, max(beforeL1.slope-afterL1.slope, afterL1.slope-beforeL1.slope), 0.99, "your pair's L1 slope does not flip")
	require.InDelta(t, beforeL2.slope, afterL2.slope, 0.1, "the L2 slope of your pair flips too")
	require.InDelta(t, beforeL1.slope, liftedL1.slope, 1e-3, "the L1 slope of your pair flips when y moves")

	left, right := floats.Min(x), floats.Max(x)
	margin := (right - left) / 20
	year := figure.Axis{Label: "year − 1900", Min: new(48.0), Max: new(75.0)}
	calls := func(top float64) figure.Axis {
		return figure.Axis{Label: "calls (millions)", Min: new(-15.0), Max: new(top)}
	}
	figure.Save(t, "lines", figure.Figure{
		Title: "L1 withstands a wrong y, not a far x, and may turn when an x moves",
		Caption: "International calls from Belgium. Left: six years were recorded wrongly; the band holds every line with the least sum of absolute errors. " +
			"Middle: the good years and one point far out in x. Right: FlipPair, before and after a point moved by less than a millionth.",
		Panels: []figure.Panel{
			{
				Title: "Six wrong y", X: year, Y: calls(220),
				Series: []figure.Series{
					band("all best L1", best, 50, 73),
					scatter(all), drawn("L2", allL2, figure.Dashed, 50, 73), drawn("L1", allL1, figure.Line, 50, 73),
				},
			},
			{
				Title: "One far x", X: figure.Axis{Label: "year − 1900", Min: new(0.0), Max: new(520.0)}, Y: calls(45),
				Series: []figure.Series{
					scatter(lever), drawn("L2", leverL2, figure.Dashed, 50, 500), drawn("L1", leverL1, figure.Line, 50, 500),
					drawn("L1 without the far x", goodL1, figure.Line, 50, 73),
				},
			},
			{
				Title: fmt.Sprintf("One x moved by %.0e", step), X: figure.Axis{Label: "x", Min: new(left - margin), Max: new(right + margin)}, Y: figure.Axis{Label: "y"},
				Series: []figure.Series{
					scatter(before), drawn("L2, both", beforeL2, figure.Dashed, left, right),
					drawn("L1", beforeL1, figure.Line, left, right), drawn("L1 after the move", afterL1, figure.Line, left, right),
				},
			},
		},
	})
}

func scatter(p points) figure.Series {
	return figure.Series{Name: "data", X: p.x, Y: p.y, Mark: figure.Points}
}

func drawn(name string, l line, mark figure.Mark, from, to float64) figure.Series {
	return figure.Series{Name: name, X: []float64{from, to}, Y: []float64{l.at(from), l.at(to)}, Mark: mark}
}

// band is the area that the lines cover.
func band(name string, lines []line, from, to float64) figure.Series {
	s := figure.Series{Name: name, Mark: figure.Band}
	for _, x := range floats.Span(make([]float64, 24), from, to) {
		var at []float64
		for _, l := range lines {
			at = append(at, l.at(x))
		}
		s.X, s.Low, s.High = append(s.X, x), append(s.Low, floats.Min(at)), append(s.High, floats.Max(at))
	}
	return s
}

func TestWhyNoise(t *testing.T) {
	defer check.Rescue(t)
	const (
		samples = 51
		repeats = 1000
	)
	rng := check.Rand(t)
	var bars []figure.Bar
	for _, noise := range []struct {
		name string
		draw func(rng *rand.Rand) float64
		best string
	}{
		{"uniform", func(rng *rand.Rand) float64 { return 2*rng.Float64() - 1 }, "L2"},
		{"Gaussian", func(rng *rand.Rand) float64 { return rng.NormFloat64() }, "L2"},
		{"Laplace", func(rng *rand.Rand) float64 { return rng.ExpFloat64() * float64(1-2*rng.IntN(2)) }, "L1"},
		{"Gaussian, one in ten ×10", func(rng *rand.Rand) float64 {
			if rng.IntN(10) == 0 {
				return 10 * rng.NormFloat64()
			}
			return rng.NormFloat64()
		}, "L1"},
	} {
		means, medians := make([]float64, repeats), make([]float64, repeats)
		for i := range repeats {
			y := make([]float64, samples)
			for j := range y {
				y[j] = noise.draw(rng)
			}
			means[i] = l1l2.BestConstantL2(y)
			lo, hi := l1l2.BestConstantL1(y)
			medians[i] = (lo + hi) / 2
		}
		ratio := stat.Variance(medians, nil) / stat.Variance(means, nil)
		t.Logf("%s noise: variance of the best L1 constant over that of the best L2 constant %.3f: %s is better", noise.name, ratio, noise.best)
		// Over 40 seeds: uniform [2.63,3.09], Gaussian [1.42,1.69], Laplace [0.57,0.67], one in ten ×10 [0.14,0.20].
		if noise.best == "L2" {
			require.Greater(t, ratio, 1.1, "%s noise", noise.name)
		} else {
			require.Less(t, ratio, 0.9, "%s noise", noise.name)
		}
		bars = append(bars, figure.Bar{Label: noise.name + ": " + noise.best, Value: ratio})
	}
	figure.Save(t, "noise", figure.Figure{
		Title:   "Which loss is better depends on the noise",
		Caption: "The best constant for 51 samples, 1,000 times. Above 1 the mean (L2) is the steadier estimate, below 1 the median (L1); each label names the better one.",
		Panels:  []figure.Panel{{Y: figure.Axis{Label: "variance of the median / variance of the mean"}, Bars: bars}},
	})
}
