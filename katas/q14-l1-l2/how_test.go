package l1l2_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/check"
	l1l2 "whyhow/katas/q14-l1-l2"
)

type lossCase struct {
	Name    string
	Pred, Y check.Array
	Loss    float64
	Grad    check.Array
	Delta   float64
}

// scaled returns c·v.
func scaled(c float64, v []float64) []float64 {
	return mapped(v, func(r float64) float64 { return c * r })
}

func mapped(v []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = f(v[i])
	}
	return out
}

// residuals returns pred − y.
func residuals(pred, y []float64) []float64 {
	out := slices.Clone(pred)
	for i := range y {
		out[i] -= y[i]
	}
	return out
}

// sum adds f(r) over the residuals.
func sum(r []float64, f func(float64) float64) float64 {
	var total float64
	for _, r := range r {
		total += f(r)
	}
	return total
}

func square(r float64) float64 { return r * r }

func mean(r []float64, f func(float64) float64) float64 { return sum(r, f) / float64(len(r)) }

func sign(r float64) float64 {
	switch {
	case r > 0:
		return 1
	case r < 0:
		return -1
	}
	return 0
}

// shapes checks that loss refuses what it cannot average.
func shapes(t *testing.T, name string, call func(pred, y []float64)) {
	t.Helper()
	check.Panics(t, name+" of 3 predictions for 2 values", func() { call([]float64{1, 2, 3}, []float64{1, 2}) })
	check.Panics(t, name+" of 2 predictions for 3 values", func() { call([]float64{1, 2}, []float64{1, 2, 3}) })
	check.Panics(t, name+" of no predictions for 2 values", func() { call(nil, []float64{1, 2}) })
	check.Panics(t, name+" of 2 predictions for no values", func() { call([]float64{1, 2}, nil) })
	check.Panics(t, name+" of nothing", func() { call(nil, nil) })
}

var (
	someArgs  = check.Args{[]float64{1, -2, 3, 0.5}, []float64{0.5, -3, 5, 1.5}}
	otherArgs = check.Args{[]float64{-1, 1, 6, 0.25}, []float64{1.5, 4, -3, 0}}
)

// draw returns predictions and values whose residuals lie farther from the kinks ±kinks than central differences reach.
func draw(t *testing.T, n int, kinks ...float64) (pred, y []float64) {
	rng := check.Rand(t)
	for len(y) < n {
		value, r := 3+rng.NormFloat64(), 2*rng.NormFloat64()
		if slices.ContainsFunc(kinks, func(k float64) bool { return math.Abs(math.Abs(r)-k) < 1e-3 }) {
			continue
		}
		pred, y = append(pred, value+r), append(y, value)
	}
	return pred, y
}

func TestSquared(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[lossCase](t, "mse") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			pred, y := c.Pred.Floats(), c.Y.Floats()
			r := residuals(pred, y)
			n := float64(len(y))
			p, q := check.Copy(pred), check.Copy(y)
			got := l1l2.MSE(p, q)
			check.Equal(t, "MSE(pred, y)", got, c.Loss, check.Rel(1e-10),
				check.Why("the mean of the squared residuals"), check.Kept("pred", p, pred), check.Kept("y", q, y),
				check.Mistake(c.Loss/2, "you halved it: this kata, like torch.nn.MSELoss, has no ½ in front of r²"),
				check.Mistake(c.Loss*n, "you returned the sum of the squares: divide by n"),
				check.Mistake(math.Sqrt(c.Loss), "you took the root: that is the RMSE"),
				check.Mistake(mean(r, math.Abs), "you averaged |r|: that is the absolute error"))
			grad := l1l2.MSEGrad(p, q)
			check.Equal(t, "MSEGrad(pred, y)", grad, c.Grad.Floats(), check.Rel(1e-10),
				check.Why("the derivative of r²/n, residual by residual"), check.Kept("pred", p, pred), check.Kept("y", q, y),
				check.Mistake(scaled(1/n, r), "you lost the 2: the derivative of r² is 2r, and there is no ½ to cancel it"),
				check.Mistake(scaled(2, r), "you forgot to divide the squared error's gradient by n: the loss is a mean"),
				check.Mistake(scaled(-2/n, r), "you took y − pred for the residual: the gradient is with respect to pred"))
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		pred, y := draw(t, 13)
		got := l1l2.MSEGrad(check.Copy(pred), check.Copy(y))
		check.Gradient(t, "MSEGrad(pred, y)", got, pred, func() float64 { return mean(residuals(pred, y), square) })
	})
	shapes(t, "MSE", func(pred, y []float64) { l1l2.MSE(pred, y) })
	shapes(t, "MSEGrad", func(pred, y []float64) { l1l2.MSEGrad(pred, y) })
	check.Independent(t, "MSE(pred, y)", l1l2.MSE, someArgs, otherArgs)
	check.Independent(t, "MSEGrad(pred, y)", l1l2.MSEGrad, someArgs, otherArgs)
}

func TestAbsolute(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[lossCase](t, "mae") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			pred, y := c.Pred.Floats(), c.Y.Floats()
			r := residuals(pred, y)
			n := float64(len(y))
			p, q := check.Copy(pred), check.Copy(y)
			got := l1l2.MAE(p, q)
			check.Equal(t, "MAE(pred, y)", got, c.Loss, check.Rel(1e-10),
				check.Why("the mean of the residuals' magnitudes"), check.Kept("pred", p, pred), check.Kept("y", q, y),
				check.Mistake(c.Loss*n, "you returned the sum of the magnitudes: divide by n"),
				check.Mistake(sum(r, func(r float64) float64 { return r })/n, "you averaged the residuals with their signs: errors of opposite sign cancel"),
				check.Mistake(mean(r, square), "you averaged r²: that is the squared error"))
			opts := []check.Option{
				check.Why("a step of ±1/n, whatever the size of the residual; 0 at a tie"), check.Kept("pred", p, pred), check.Kept("y", q, y),
				check.Mistake(scaled(1/n, r), "you gave the residual itself: |r| rises with slope ±1, however large r is"),
				check.Mistake(mapped(r, sign), "you forgot to divide the absolute error's gradient by n: the loss is a mean"),
				check.Mistake(scaled(-1/n, mapped(r, sign)), "you took y − pred for the residual: the gradient is with respect to pred"),
			}
			if slices.Contains(r, 0) {
				const tie = ": where pred equals y the gradient is 0"
				opts = append(opts,
					check.Mistake(mapped(r, func(r float64) float64 { return sign(sign(r)+0.5) / n }), "you gave a tie the slope +1"+tie),
					check.Mistake(mapped(r, func(r float64) float64 { return sign(sign(r)-0.5) / n }), "you gave a tie the slope −1"+tie))
			}
			check.Equal(t, "MAEGrad(pred, y)", l1l2.MAEGrad(p, q), c.Grad.Floats(), check.Rel(1e-10), opts...)
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		pred, y := draw(t, 13, 0)
		got := l1l2.MAEGrad(check.Copy(pred), check.Copy(y))
		check.Gradient(t, "MAEGrad(pred, y)", got, pred, func() float64 { return mean(residuals(pred, y), math.Abs) })
	})
	shapes(t, "MAE", func(pred, y []float64) { l1l2.MAE(pred, y) })
	shapes(t, "MAEGrad", func(pred, y []float64) { l1l2.MAEGrad(pred, y) })
	check.Independent(t, "MAE(pred, y)", l1l2.MAE, someArgs, otherArgs)
	check.Independent(t, "MAEGrad(pred, y)", l1l2.MAEGrad, someArgs, otherArgs)
}

// piecewise returns the function that is near where |r| ≤ delta and far beyond.
func piecewise(delta float64, near, far func(r float64) float64) func(r float64) float64 {
	return func(r float64) float64 {
		if math.Abs(r) <= delta {
			return near(r)
		}
		return far(r)
	}
}

func TestHuber(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[lossCase](t, "huber") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			pred, y, delta := c.Pred.Floats(), c.Y.Floats(), c.Delta
			r := residuals(pred, y)
			n := float64(len(y))
			half := func(r float64) float64 { return r * r / 2 }
			straight := func(r float64) float64 { return delta * (math.Abs(r) - delta/2) }
			p, q := check.Copy(pred), check.Copy(y)
			got := l1l2.Huber(p, q, delta)
			check.Equal(t, fmt.Sprintf("Huber(pred, y, %v)", delta), got, c.Loss, check.Rel(1e-10),
				check.Why("½r² up to delta, and beyond it the straight line that continues it"), check.Kept("pred", p, pred), check.Kept("y", q, y),
				check.Mistake(c.Loss*n, "you returned the sum of the Huber losses: divide by n"),
				check.Mistake(c.Loss/delta, "you computed smooth L1: Huber is delta times that"),
				check.Mistake(mean(r, piecewise(delta, half, func(r float64) float64 { return delta * math.Abs(r) })),
					"you left out the −½·delta² of the straight part: the loss jumps at delta"),
				check.Mistake(mean(r, piecewise(delta, half, func(r float64) float64 { return math.Abs(r) - delta/2 })),
					"you left out the factor delta of the straight part: its slope is the one that ½r² has at delta"),
				check.Mistake(mean(r, piecewise(delta, straight, half)), "you swapped the branches: the square belongs to the small residuals"),
				check.Mistake(mean(r, piecewise(delta, square, straight)), "you left out the ½ of the square: the two pieces do not meet"))
			gradient := func(near, far func(r float64) float64) []float64 {
				return scaled(1/n, mapped(r, piecewise(delta, near, far)))
			}
			same := func(r float64) float64 { return r }
			limit := func(r float64) float64 { return delta * sign(r) }
			check.Equal(t, fmt.Sprintf("HuberGrad(pred, y, %v)", delta), l1l2.HuberGrad(p, q, delta), c.Grad.Floats(), check.Rel(1e-10),
				check.Why("the gradient of a mean: a residual pulls in proportion to its size, but never harder than delta"), check.Kept("pred", p, pred), check.Kept("y", q, y),
				check.Mistake(scaled(n, c.Grad.Floats()), "you forgot to divide Huber's gradient by n: the loss is a mean"),
				check.Mistake(scaled(1/delta, c.Grad.Floats()), "you gave the gradient of smooth L1: Huber's is delta times that"),
				check.Mistake(gradient(same, sign), "you gave ±1 beyond delta: the straight part has slope ±delta"),
				check.Mistake(gradient(limit, same), "you swapped the gradient's branches: only a large residual is cut"),
				check.Mistake(gradient(same, same), "you did not cut the large residuals: that is the gradient of the square"))
		})
	}
	t.Run("far below", func(t *testing.T) {
		defer check.Rescue(t)
		const signed = "you lost the absolute value: a residual far below −delta is as large as one far above delta"
		pred, y := []float64{-3, 0.25, 5}, []float64{1, 0, 0} // residuals −4, ¼, 5
		check.Equal(t, "Huber([-3 0.25 5], [1 0 0], 2)", l1l2.Huber(check.Copy(pred), check.Copy(y), 2), (6+1./32+8)/3, check.Rel(1e-12),
			check.Why("2·(4 − 1), ½·(¼)², 2·(5 − 1)"),
			check.Mistake((8+1./32+8)/3, signed), check.Mistake((-10+1./32+8)/3, signed))
		check.Equal(t, "HuberGrad([-3 0.25 5], [1 0 0], 2)", l1l2.HuberGrad(check.Copy(pred), check.Copy(y), 2), []float64{-2. / 3, 0.25 / 3, 2. / 3}, check.Rel(1e-12),
			check.Why("a residual pulls in proportion to its size, but never harder than delta, to either side"),
			check.Mistake([]float64{-4. / 3, 0.25 / 3, 2. / 3}, signed), check.Mistake([]float64{2. / 3, 0.25 / 3, 2. / 3}, signed))
	})
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		const delta = 1.3
		pred, y := draw(t, 13, delta)
		got := l1l2.HuberGrad(check.Copy(pred), check.Copy(y), delta)
		check.Gradient(t, "HuberGrad(pred, y, 1.3)", got, pred, func() float64 {
			return mean(residuals(pred, y), func(r float64) float64 {
				short := min(math.Abs(r), delta)
				return short * (math.Abs(r) - short/2)
			})
		})
	})
	for _, delta := range []float64{0, -1, math.NaN()} {
		check.Panics(t, fmt.Sprintf("Huber with delta %v", delta), func() { l1l2.Huber([]float64{1}, []float64{2}, delta) })
		check.Panics(t, fmt.Sprintf("HuberGrad with delta %v", delta), func() { l1l2.HuberGrad([]float64{1}, []float64{2}, delta) })
	}
	shapes(t, "Huber", func(pred, y []float64) { l1l2.Huber(pred, y, 1) })
	shapes(t, "HuberGrad", func(pred, y []float64) { l1l2.HuberGrad(pred, y, 1) })
	args, others := append(slices.Clone(someArgs), 0.75), append(slices.Clone(otherArgs), 0.5)
	check.Independent(t, "Huber(pred, y, delta)", l1l2.Huber, args, others)
	check.Independent(t, "HuberGrad(pred, y, delta)", l1l2.HuberGrad, args, others)
}

type constantCase struct {
	Name         string
	Y            check.Array
	Mean, Lo, Hi float64
}

func TestBestConstant(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[constantCase](t, "constants") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			y := c.Y.Floats()
			passed := check.Copy(y)
			var opts []check.Option
			if c.Mean != c.Lo && len(y) > 2 {
				opts = append(opts, check.Mistake(c.Lo, "you returned a median: that is best for the absolute error"))
			}
			check.Equal(t, "BestConstantL2(y)", l1l2.BestConstantL2(passed), c.Mean, check.Rel(1e-10), append(opts,
				check.Why("where the gradient of Σ(y−c)² is 0"), check.Kept("y", passed, y))...)

			opts = []check.Option{
				check.Why("Σ|y−c| is flat where as many values lie below c as above"),
				check.Kept("y", passed, y),
			}
			if c.Lo != c.Hi {
				middle := (c.Lo + c.Hi) / 2
				opts = append(opts,
					check.Mistake([]float64{c.Hi, c.Hi}, "you returned the upper of the two middle values only: every constant between them is as good"),
					check.Mistake([]float64{c.Lo, c.Lo}, "you returned the lower of the two middle values only: every constant between them is as good"),
					check.Mistake([]float64{middle, middle}, "you returned the midpoint of the two middle values: it is one of the best constants, the step asks for all"))
			}
			if n := len(y); n > 2 {
				sorted := check.Copy(y)
				slices.Sort(sorted)
				opts = append(opts, check.Mistake([]float64{sorted[n/2], sorted[n/2+1]}, "you counted the sorted values from 1: the middle ones have the indices (n−1)/2 and n/2, rounded down"))
			}
			if n := len(y); n > 4 && n != 6 {
				opts = append(opts, check.Mistake([]float64{y[(n-1)/2], y[n/2]}, "you took the middle of y as it stands: sort a copy first"))
			}
			lo, hi := l1l2.BestConstantL1(passed)
			check.Equal(t, "lo and hi of BestConstantL1(y)", []float64{lo, hi}, []float64{c.Lo, c.Hi}, check.Exact, opts...)
		})
	}
	check.Panics(t, "BestConstantL2 of nothing", func() { l1l2.BestConstantL2(nil) })
	check.Panics(t, "BestConstantL2 of an empty slice", func() { l1l2.BestConstantL2([]float64{}) })
	check.Panics(t, "BestConstantL1 of nothing", func() { l1l2.BestConstantL1(nil) })
	check.Independent(t, "BestConstantL2(y)", l1l2.BestConstantL2, someArgs[:1], otherArgs[:1])
	check.Independent(t, "BestConstantL1(y)", l1l2.BestConstantL1, someArgs[:1], otherArgs[:1])
}

type lineCase struct {
	Name             string
	X, Y             check.Array
	Intercept, Slope float64
}

// lines checks that fit refuses points that define no line.
func lines(t *testing.T, name string, fit func(x, y []float64) (float64, float64)) {
	t.Helper()
	check.Panics(t, name+" with all x equal", func() { fit([]float64{2, 2, 2}, []float64{1, 5, 6}) })
	check.Panics(t, name+" of one point", func() { fit([]float64{2}, []float64{1}) })
	check.Panics(t, name+" of no points", func() { fit(nil, nil) })
	check.Panics(t, name+" of 3 x and 2 y", func() { fit([]float64{1, 2, 3}, []float64{1, 2}) })
	check.Panics(t, name+" of 2 x and 3 y", func() { fit([]float64{1, 2}, []float64{1, 2, 3}) })
}

func TestLeastSquares(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[lineCase](t, "lines") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, y := c.X.Floats(), c.Y.Floats()
			xs, ys := check.Copy(x), check.Copy(y)
			intercept, slope := l1l2.LeastSquares(xs, ys)
			_, through := stat.LinearRegression(x, y, nil, true)
			meanX, meanY := stat.Mean(x, nil), stat.Mean(y, nil)
			fromSlope := func(b float64) []float64 { return []float64{meanY - b*meanX, b} }
			check.Equal(t, "LeastSquares(x, y) (intercept, slope)", []float64{intercept, slope}, []float64{c.Intercept, c.Slope}, check.Rel(1e-8),
				check.Why("the covariance of x and y over the variance of x; take the means away before you multiply, x may lie far from 0"),
				check.Kept("x", xs, x), check.Kept("y", ys, y),
				check.Mistake([]float64{c.Slope, c.Intercept}, "you returned the slope first: the intercept comes first"),
				check.Mistake([]float64{0, through}, "you fitted a line through the origin: Σxy/Σx² needs the means taken away"),
				check.Mistake(fromSlope(stat.Variance(y, nil)/stat.Covariance(x, y, nil)), "you fitted x to y: the errors are measured along y"),
				check.Mistake(fromSlope(stat.Covariance(x, y, nil)/stat.Variance(y, nil)), "you divided by the spread of y: the slope is a covariance over the variance of x"),
				check.Mistake([]float64{meanY, c.Slope}, "you returned the mean of y for the intercept: the line takes that value at the mean of x, not at 0"),
				check.Mistake([]float64{meanY + c.Slope*meanX, c.Slope}, "you added slope·mean(x): the intercept is mean(y) minus it"))
		})
	}
	t.Run("telephone calls", func(t *testing.T) {
		defer check.Rescue(t)
		all, _ := telephone(t)
		intercept, slope := l1l2.LeastSquares(check.Copy(all.x), check.Copy(all.y))
		check.Equal(t, "LeastSquares(year, calls) (intercept, slope)", []float64{intercept, slope}, []float64{-260.0592, 5.0415}, check.Abs(5e-5),
			check.Why("the line of least squares of the Belgian telephone calls, to four decimals"))
	})
	t.Run("seconds since 1970", func(t *testing.T) {
		defer check.Rescue(t)
		const start = 1.6e9 // whole numbers near it are exact, their mean is not
		since, y := []float64{0, 1, 3, 8, 20, 21, 34}, []float64{2, 2.5, 4, 6, 13, 13.5, 19}
		x := mapped(since, func(s float64) float64 { return start + s })
		intercept, slope := stat.LinearRegression(since, y, nil, false)
		gotIntercept, gotSlope := l1l2.LeastSquares(check.Copy(x), check.Copy(y))
		check.Equal(t, "LeastSquares(1.6e9 + (0 1 3 8 20 21 34), y) (intercept, slope)", []float64{gotIntercept, gotSlope}, []float64{intercept - slope*start, slope}, check.Rel(1e-6),
			check.With("y", y), check.Why("x and x less 1.6e9 have one slope; take the mean away from both factors, for what is left of rounding it is multiplied by the other"))
		gotIntercept, gotSlope = l1l2.LeastSquares([]float64{0, 1. / 3}, []float64{0, 1})
		check.Equal(t, "LeastSquares([0 1/3], [0 1]) (intercept, slope)", []float64{gotIntercept, gotSlope}, []float64{0, 3}, check.Tol{Rel: 1e-12, Abs: 1e-12})
	})
	lines(t, "LeastSquares", l1l2.LeastSquares)
	check.Independent(t, "LeastSquares(x, y)", l1l2.LeastSquares, someArgs, otherArgs)
}

func TestLeastAbsolute(t *testing.T) {
	defer check.Rescue(t)
	years, good := telephone(t)
	rng := check.Rand(t)
	scattered := func(n int) points {
		var p points
		for range n {
			x := 2 * rng.NormFloat64()
			p.x, p.y = append(p.x, x), append(p.y, 3-1.5*x+rng.NormFloat64()+5*float64(rng.IntN(2)))
		}
		return p
	}
	shared := points{x: []float64{2, 2, 2, 5, 5, 7, 8}, y: []float64{1, 4, 9, 3, 6.5, 2, 8}}
	odd, even := scattered(11), scattered(12)
	for _, c := range []struct {
		name string
		points
		least    float64 // the least sum of absolute errors
		mistakes []check.Option
	}{
		{"telephone calls of the 18 good years", good, 33.805, wrongLines(good)},
		{"telephone calls of all 24 years", years, 844, nil},
		{"several points at one x", shared, shared.leastSum(t), []check.Option{
			check.Mistake(math.NaN(), "you divided by x[i]−x[j] where it is 0: two points above each other define no line, skip them"),
		}},
		{"eleven points", odd, odd.leastSum(t), nil},
		{"twelve points", even, even.leastSum(t), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			x, y := check.Copy(c.x), check.Copy(c.y)
			intercept, slope := l1l2.LeastAbsolute(x, y)
			call := fmt.Sprintf("LeastAbsolute(x, y) is the line %v: its sum of absolute errors", line{intercept, slope})
			check.Equal(t, call, c.absoluteErrors(line{intercept, slope}), c.least, check.Rel(1e-9), append(c.mistakes,
				check.Why("no line has a smaller sum; some line through two of the points reaches it"),
				check.Kept("x", x, c.x), check.Kept("y", y, c.y))...)
		})
	}
	t.Run("the one best line", func(t *testing.T) {
		defer check.Rescue(t)
		intercept, slope := l1l2.LeastAbsolute(check.Copy(good.x), check.Copy(good.y))
		check.Equal(t, "LeastAbsolute(year, calls) (intercept, slope)", []float64{intercept, slope}, []float64{-53.28, 1.115}, check.Rel(1e-9),
			check.Why("the 18 good years have a single best line"))
	})
	t.Run("the best pair anywhere", func(t *testing.T) {
		defer check.Rescue(t)
		on, off := points{[]float64{1, 6}, []float64{2, 7}}, points{[]float64{2, 8, 7}, []float64{6, 13, 7}} // best is y = 1 + x, through the first two
		got, want := map[string]float64{}, map[string]float64{}
		absolute := func(r []float64) float64 { return sum(r, math.Abs) }
		slips := []struct {
			allowed func(i, j int) bool // j < i
			says    string
			sums    map[string]float64
		}{
			{func(_, j int) bool { return j > 0 }, "you left out the pairs with the first point", map[string]float64{}},
			{func(i, _ int) bool { return i < 4 }, "you left out the pairs with the last point", map[string]float64{}},
			{func(i, j int) bool { return i == j+1 }, "you joined neighbours only: the best line may pass through any two points", map[string]float64{}},
			{func(_, j int) bool { return j == 0 }, "you tried the lines through the first point only: the best line may pass through any two points", map[string]float64{}},
			{func(i, j int) bool { return i > j+1 }, "you left out the pairs of neighbours", map[string]float64{}},
		}
		for a := range 5 {
			for b := range 5 {
				if a == b {
					continue
				}
				p, rest := points{make([]float64, 5), make([]float64, 5)}, 0
				for k := range 5 {
					switch k {
					case a:
						p.x[k], p.y[k] = on.x[0], on.y[0]
					case b:
						p.x[k], p.y[k] = on.x[1], on.y[1]
					default:
						p.x[k], p.y[k] = off.x[rest], off.y[rest]
						rest++
					}
				}
				name := fmt.Sprintf("x %v, y %v", p.x, p.y)
				intercept, slope := l1l2.LeastAbsolute(check.Copy(p.x), check.Copy(p.y))
				got[name], want[name] = p.absoluteErrors(line{intercept, slope}), 8
				for _, s := range slips {
					s.sums[name] = p.absoluteErrors(p.bestOf(s.allowed, absolute))
				}
			}
		}
		opts := []check.Option{check.Why("the best line passes through the points (1, 2) and (6, 7), wherever they stand in x and y")}
		for _, s := range slips {
			opts = append(opts, check.Mistake(s.sums, s.says))
		}
		check.Equal(t, "sums of absolute errors of LeastAbsolute(x, y)", got, want, check.Rel(1e-9), opts...)
	})
	t.Run("an outlier far away", func(t *testing.T) {
		defer check.Rescue(t)
		got, want := map[string][]float64{}, map[string][]float64{}
		for _, c := range []struct {
			y    []float64
			best line
		}{
			{[]float64{3, 6, 8, 20, 9, 3}, line{5, 1}},
			{[]float64{3, 6, 8, 1e9, 9, 3}, line{5, 1}},
			{[]float64{3, 9, 0, 9, 20, 6}, line{3, 2}},
			{[]float64{3, 9, 0, 9, 1e9, 6}, line{3, 2}},
		} {
			p := points{[]float64{0, 1, 2, 3, 4, 5}, c.y}
			for _, order := range []string{"in order", "reversed"} {
				intercept, slope := l1l2.LeastAbsolute(check.Copy(p.x), check.Copy(p.y))
				name := fmt.Sprintf("x %v, y %v", p.x, p.y)
				got[name], want[name] = []float64{intercept, slope}, []float64{c.best.intercept, c.best.slope}
				if order == "in order" {
					slices.Reverse(p.x)
					slices.Reverse(p.y)
				}
			}
		}
		check.Equal(t, "(intercept, slope) of LeastAbsolute(x, y)", got, want, check.Rel(1e-9),
			check.Why("how far above the line a point lies makes no difference to the best line; the next best sums are larger by more than 1, also where they are 10⁹"))
	})
	lines(t, "LeastAbsolute", l1l2.LeastAbsolute)
	check.Independent(t, "LeastAbsolute(x, y)", l1l2.LeastAbsolute, someArgs, otherArgs)
}

// must ends the test with a message of its own where a condition does not hold.
func must(t *testing.T, holds bool, message string, args ...any) {
	t.Helper()
	if !holds {
		t.Fatalf(message, args...)
	}
}

func TestFlipPair(t *testing.T) {
	defer check.Rescue(t)
	x, moved, y := l1l2.FlipPair()
	n := len(x)
	must(t, n >= 3 && n <= 20, "FlipPair() has %d points, want 3 to 20", n)
	must(t, len(moved) == n && len(y) == n, "FlipPair() has %d x, %d moved, %d y: want as many of each", n, len(moved), len(y))
	changed := 0
	for i := range x {
		must(t, math.Abs(x[i]) <= 100 && math.Abs(moved[i]) <= 100 && math.Abs(y[i]) <= 100,
			"point %d of FlipPair() is (%v, %v), moved to %v: want no coordinate above 100", i, x[i], y[i], moved[i])
		for j := range i {
			must(t, math.Abs(x[i]-x[j]) >= 0.1, "x[%d] = %v and x[%d] = %v of FlipPair() are less than 0.1 apart: "+
				"your pair relies on a nearly vertical line", i, x[i], j, x[j])
		}
		if d := math.Abs(moved[i] - x[i]); d != 0 {
			changed++
			must(t, d >= 1e-9 && d <= 1e-6*(1+1e-9), "moved[%d] is %.3g from x[%d], want between 1e-9 and 1e-6: you moved the point too far, or too little", i, d, i)
		}
	}
	must(t, changed == 1, "moved differs from x in %d entries, want 1", changed)

	var slopes []float64
	for _, p := range []struct {
		name string
		points
	}{{"(x, y)", points{x, y}}, {"(moved, y)", points{moved, y}}} {
		best := p.bestLines()
		must(t, len(best) == 1, "%s of FlipPair() has %d best lines through two of its points, want 1: you stopped on the tie, "+
			"move past it on both sides: %v", p.name, len(best), best)
		slopes = append(slopes, best[0].slope)
	}
	must(t, math.Abs(slopes[0]-slopes[1]) >= 1, "the best slopes of FlipPair() are %.6g and %.6g: your pair does not flip, want slopes at least 1 apart", slopes[0], slopes[1])
	check.Independent(t, "FlipPair()", l1l2.FlipPair, nil, nil, check.AnyAnswer())
}
