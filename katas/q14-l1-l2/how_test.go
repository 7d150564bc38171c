package l1l2_test

import (
	"fmt"
	"maps"
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

// answers is what a loss, or its gradient, answers to every case.
func answers[T any](cases []lossCase, f func(pred, y []float64, delta float64) T) map[string]T {
	all := map[string]T{}
	for _, c := range cases {
		all[c.Name] = f(c.Pred.Floats(), c.Y.Floats(), c.Delta)
	}
	return all
}

// losses compares a loss in all cases at once: a mistake has to explain them all. mistakes are given by what they make of the residuals.
func losses(t *testing.T, call string, cases []lossCase, f func(pred, y []float64, delta float64) float64, why string, mistakes ...slipOf[float64]) {
	want := map[string]float64{}
	for _, c := range cases {
		want[c.Name] = c.Loss
	}
	compared(t, call, cases, f, want, why, mistakes)
}

// gradients does the same for a gradient, and says whether it is right.
func gradients(t *testing.T, call string, cases []lossCase, f func(pred, y []float64, delta float64) []float64, why string, mistakes ...slipOf[[]float64]) bool {
	want := map[string][]float64{}
	for _, c := range cases {
		want[c.Name] = c.Grad.Floats()
	}
	return compared(t, call, cases, f, want, why, mistakes)
}

// slipOf is a mistake by what it makes of the residuals and delta.
type slipOf[T any] struct {
	says string
	of   func(r []float64, delta float64) T
}

func compared[T any](t *testing.T, call string, cases []lossCase, f func(pred, y []float64, delta float64) T, want map[string]T, why string, mistakes []slipOf[T]) bool {
	t.Helper()
	opts := []check.Option{check.Why(why)}
	got := answers(cases, func(pred, y []float64, delta float64) T {
		p, q := check.Copy(pred), check.Copy(y)
		opts = append(opts, check.Kept("pred", p, pred), check.Kept("y", q, y))
		return f(p, q, delta)
	})
	for _, m := range mistakes {
		opts = append(opts, check.Mistake(answers(cases, func(pred, y []float64, delta float64) T { return m.of(residuals(pred, y), delta) }), m.says))
	}
	return check.Equal(t, call, got, want, check.Rel(1e-10), opts...)
}

// byHand is a case with its loss and its gradient.
func byHand(name string, pred, y []float64, delta, loss float64, grad ...float64) lossCase {
	array := func(v []float64) check.Array { return check.Array{Shape: []int{len(v)}, Data: v} }
	return lossCase{name, array(pred), array(y), loss, array(grad), delta}
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

func itself(r float64) float64 { return r }

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
	cases := append(check.Golden[lossCase](t, "mse"),
		byHand("a single value", []float64{3}, []float64{1}, 0, 4, 4),
		byHand("one far off", []float64{1e100, 0.5}, []float64{0, 0}, 0, 0.5e200, 1e100, 0.5))
	type slip = slipOf[float64]
	type slips = slipOf[[]float64]
	n := func(r []float64) float64 { return float64(len(r)) }
	t.Run("MSE", func(t *testing.T) {
		defer check.Rescue(t)
		losses(t, "MSE(pred, y)", cases, func(pred, y []float64, _ float64) float64 { return l1l2.MSE(pred, y) }, "the mean of the squared residuals",
			slip{"you halved it: this kata, like torch.nn.MSELoss, has no ½ in front of r²", func(r []float64, _ float64) float64 { return mean(r, square) / 2 }},
			slip{"you returned the sum of the squares: divide by n", func(r []float64, _ float64) float64 { return sum(r, square) }},
			slip{"you divided by n − 1: the loss is a mean, not a variance", func(r []float64, _ float64) float64 { return sum(r, square) / (n(r) - 1) }},
			slip{"you took the root: that is the RMSE", func(r []float64, _ float64) float64 { return math.Sqrt(mean(r, square)) }},
			slip{"you squared the mean of the residuals: errors of opposite sign cancel", func(r []float64, _ float64) float64 { return square(mean(r, itself)) }},
			slip{"you averaged |r|: that is the absolute error", func(r []float64, _ float64) float64 { return mean(r, math.Abs) }})
	})
	right := t.Run("MSEGrad", func(t *testing.T) {
		defer check.Rescue(t)
		gradients(t, "MSEGrad(pred, y)", cases, func(pred, y []float64, _ float64) []float64 { return l1l2.MSEGrad(pred, y) }, "the derivative of r²/n, residual by residual",
			slips{"you lost the 2: the derivative of r² is 2r, and there is no ½ to cancel it", func(r []float64, _ float64) []float64 { return scaled(1/n(r), r) }},
			slips{"you forgot to divide the squared error's gradient by n: the loss is a mean", func(r []float64, _ float64) []float64 { return scaled(2, r) }},
			slips{"you took y − pred for the residual: the gradient is with respect to pred", func(r []float64, _ float64) []float64 { return scaled(-2/n(r), r) }})
	})
	if right {
		t.Run("central differences", func(t *testing.T) {
			defer check.Rescue(t)
			pred, y := draw(t, 13)
			got := l1l2.MSEGrad(check.Copy(pred), check.Copy(y))
			check.Gradient(t, "MSEGrad(pred, y)", got, pred, func() float64 { return mean(residuals(pred, y), square) })
		})
	}
	shapes(t, "MSE", func(pred, y []float64) { l1l2.MSE(pred, y) })
	shapes(t, "MSEGrad", func(pred, y []float64) { l1l2.MSEGrad(pred, y) })
	check.Independent(t, "MSE(pred, y)", l1l2.MSE, someArgs, otherArgs)
	check.Independent(t, "MSEGrad(pred, y)", l1l2.MSEGrad, someArgs, otherArgs)
}

func TestAbsolute(t *testing.T) {
	defer check.Rescue(t)
	cases := append(check.Golden[lossCase](t, "mae"),
		byHand("a single value", []float64{3}, []float64{1}, 0, 2, 1),
		byHand("hardly off", []float64{1e-12, -3e-14, 0, 2, 1e-300}, make([]float64, 5), 0, (2+1e-12+3e-14)/5, 0.2, -0.2, 0, 0.2, 0.2))
	type slip = slipOf[float64]
	type slips = slipOf[[]float64]
	n := func(r []float64) float64 { return float64(len(r)) }
	t.Run("MAE", func(t *testing.T) {
		defer check.Rescue(t)
		losses(t, "MAE(pred, y)", cases, func(pred, y []float64, _ float64) float64 { return l1l2.MAE(pred, y) }, "the mean of the residuals' magnitudes",
			slip{"you returned the sum of the magnitudes: divide by n", func(r []float64, _ float64) float64 { return sum(r, math.Abs) }},
			slip{"you averaged the residuals with their signs: errors of opposite sign cancel", func(r []float64, _ float64) float64 { return mean(r, itself) }},
			slip{"you took the magnitude of the mean: errors of opposite sign cancel before that", func(r []float64, _ float64) float64 { return math.Abs(mean(r, itself)) }},
			slip{"you took the root of the mean square: that is the RMSE", func(r []float64, _ float64) float64 { return math.Sqrt(mean(r, square)) }},
			slip{"you averaged r²: that is the squared error", func(r []float64, _ float64) float64 { return mean(r, square) }})
	})
	right := t.Run("MAEGrad", func(t *testing.T) {
		defer check.Rescue(t)
		const tie = ": where pred equals y the gradient is 0"
		of := func(f func(r float64) float64) func(r []float64, _ float64) []float64 {
			return func(r []float64, _ float64) []float64 { return scaled(1/n(r), mapped(r, f)) }
		}
		gradients(t, "MAEGrad(pred, y)", cases, func(pred, y []float64, _ float64) []float64 { return l1l2.MAEGrad(pred, y) }, "a step of ±1/n, whatever the size of the residual; 0 at a tie",
			slips{"you gave the residual itself: |r| rises with slope ±1, however large r is", of(itself)},
			slips{"you forgot to divide the absolute error's gradient by n: the loss is a mean", func(r []float64, _ float64) []float64 { return mapped(r, sign) }},
			slips{"you took y − pred for the residual: the gradient is with respect to pred", of(func(r float64) float64 { return -sign(r) })},
			slips{"you gave a tie the slope +1" + tie, of(func(r float64) float64 { return sign(sign(r) + 0.5) })},
			slips{"you gave a tie the slope −1" + tie, of(func(r float64) float64 { return sign(sign(r) - 0.5) })},
			slips{"you took small residuals for ties: only where pred equals y is the gradient 0", of(func(r float64) float64 {
				if math.Abs(r) < 1e-10 {
					return 0
				}
				return sign(r)
			})})
	})
	if right {
		t.Run("central differences", func(t *testing.T) {
			defer check.Rescue(t)
			pred, y := draw(t, 13, 0)
			got := l1l2.MAEGrad(check.Copy(pred), check.Copy(y))
			check.Gradient(t, "MAEGrad(pred, y)", got, pred, func() float64 { return mean(residuals(pred, y), math.Abs) })
		})
	}
	shapes(t, "MAE", func(pred, y []float64) { l1l2.MAE(pred, y) })
	shapes(t, "MAEGrad", func(pred, y []float64) { l1l2.MAEGrad(pred, y) })
	check.Independent(t, "MAE(pred, y)", l1l2.MAE, someArgs, otherArgs)
	check.Independent(t, "MAEGrad(pred, y)", l1l2.MAEGrad, someArgs, otherArgs)
}

// piecewise returns the function that is near where |r| ≤ delta and far beyond.
func piecewise(delta float64, near, far func(r, delta float64) float64) func(r float64) float64 {
	return func(r float64) float64 {
		if math.Abs(r) <= delta {
			return near(r, delta)
		}
		return far(r, delta)
	}
}

func TestHuber(t *testing.T) {
	defer check.Rescue(t)
	cases := append(check.Golden[lossCase](t, "huber"),
		byHand("residuals −4, ¼ and 5, delta 2", []float64{-3, 0.25, 5}, []float64{1, 0, 0}, 2, (6+1./32+8)/3, -2./3, 0.25/3, 2./3),
		byHand("residuals −4, ¼ and 5, delta ½", []float64{-3, 0.25, 5}, []float64{1, 0, 0}, 0.5, (1.875+1./32+2.375)/3, -0.5/3, 0.25/3, 0.5/3),
		byHand("a single value", []float64{3}, []float64{1}, 0.5, 0.875, 0.5),
		byHand("delta 200", []float64{300, -150}, []float64{0, 0}, 200, 25625, 100, -75),
		byHand("delta 1e-8", []float64{2, -1e-9}, []float64{0, 0}, 1e-8, (1e-8*(2-5e-9)+0.5e-18)/2, 0.5e-8, -0.5e-9),
		byHand("delta +Inf", []float64{-3, 0.5, 4}, []float64{1, 0, 0}, math.Inf(1), (8+0.125+8)/3, -4./3, 0.5/3, 4./3))
	type slip = slipOf[float64]
	type slips = slipOf[[]float64]
	const signed = "you lost the absolute value: a residual far below −delta is as large as one far above delta"
	half := func(r, _ float64) float64 { return r * r / 2 }
	straight := func(r, delta float64) float64 { return delta * (math.Abs(r) - delta/2) }
	t.Run("Huber", func(t *testing.T) {
		defer check.Rescue(t)
		// of is the mean of near where |r| ≤ delta and of far beyond.
		of := func(near, far func(r, delta float64) float64) func(r []float64, delta float64) float64 {
			return func(r []float64, delta float64) float64 { return mean(r, piecewise(delta, near, far)) }
		}
		right := of(half, straight)
		losses(t, "Huber(pred, y, delta)", cases, l1l2.Huber, "½r² up to delta, and beyond it the straight line that continues it; for an infinite delta all is ½r²",
			slip{"you returned the sum of the Huber losses: divide by n", func(r []float64, delta float64) float64 { return right(r, delta) * float64(len(r)) }},
			slip{"you computed smooth L1: Huber is delta times that", func(r []float64, delta float64) float64 { return right(r, delta) / delta }},
			slip{"you left out the −½·delta² of the straight part: the loss jumps at delta", of(half, func(r, delta float64) float64 { return delta * math.Abs(r) })},
			slip{"you left out the factor delta of the straight part: its slope is the one that ½r² has at delta", of(half, func(r, delta float64) float64 { return math.Abs(r) - delta/2 })},
			slip{"you swapped the branches: the square belongs to the small residuals", of(straight, half)},
			slip{"you doubled it: the square has a ½, and the straight part goes on from there", func(r []float64, delta float64) float64 { return 2 * right(r, delta) }},
			slip{"you left out the ½ of the square: the two pieces do not meet", of(func(r, _ float64) float64 { return r * r }, straight)},
			slip{signed, of(half, func(r, delta float64) float64 {
				if r < 0 {
					return r * r / 2
				}
				return straight(r, delta)
			})},
			slip{signed, of(half, func(r, delta float64) float64 { return delta * (r - delta/2) })})
	})
	right := t.Run("HuberGrad", func(t *testing.T) {
		defer check.Rescue(t)
		of := func(near, far func(r, delta float64) float64) func(r []float64, delta float64) []float64 {
			return func(r []float64, delta float64) []float64 {
				return scaled(1/float64(len(r)), mapped(r, piecewise(delta, near, far)))
			}
		}
		same := func(r, _ float64) float64 { return r }
		limit := func(r, delta float64) float64 { return delta * sign(r) }
		gradients(t, "HuberGrad(pred, y, delta)", cases, l1l2.HuberGrad, "the gradient of a mean: a residual pulls in proportion to its size, but never harder than delta, to either side",
			slips{"you forgot to divide Huber's gradient by n: the loss is a mean", func(r []float64, delta float64) []float64 { return mapped(r, piecewise(delta, same, limit)) }},
			slips{"you gave the gradient of smooth L1: Huber's is delta times that", func(r []float64, delta float64) []float64 {
				return scaled(1/float64(len(r))/delta, mapped(r, piecewise(delta, same, limit)))
			}},
			slips{"you gave ±1 beyond delta: the straight part has slope ±delta", of(same, func(r, _ float64) float64 { return sign(r) })},
			slips{"you gave 0 beyond delta: a large residual still pulls, with ±delta", of(same, func(_, _ float64) float64 { return 0 })},
			slips{"you swapped the gradient's branches: only a large residual is cut", of(limit, same)},
			slips{"you did not cut the large residuals: that is the gradient of the square", of(same, same)},
			slips{"you divided by n before you cut: delta is held against the residual itself", func(r []float64, delta float64) []float64 {
				return mapped(scaled(1/float64(len(r)), r), piecewise(delta, same, limit))
			}},
			slips{signed, of(same, func(r, delta float64) float64 { return min(r, delta) })},
			slips{signed, of(same, func(_, delta float64) float64 { return delta })})
	})
	if right {
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
	}
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
	cases := append(check.Golden[constantCase](t, "constants"),
		constantCase{"a single value", check.Array{Shape: []int{1}, Data: []float64{-7}}, -7, -7, -7})
	each := func(f func(c constantCase, sorted []float64) []float64) map[string][]float64 {
		all := map[string][]float64{}
		for _, c := range cases {
			all[c.Name] = f(c, slices.Sorted(slices.Values(c.Y.Data)))
		}
		return all
	}
	t.Run("BestConstantL2", func(t *testing.T) {
		defer check.Rescue(t)
		one := func(f func(c constantCase) float64) map[string][]float64 {
			return each(func(c constantCase, _ []float64) []float64 { return []float64{f(c)} })
		}
		const median = "you returned a median: that is best for the absolute error"
		opts := []check.Option{check.Why("where the gradient of Σ(y−c)² is 0")}
		got := one(func(c constantCase) float64 {
			passed := c.Y.Floats()
			opts = append(opts, check.Kept("y", passed, c.Y.Floats()))
			return l1l2.BestConstantL2(passed)
		})
		check.Equal(t, "BestConstantL2(y)", got, one(func(c constantCase) float64 { return c.Mean }), check.Rel(1e-10), append(opts,
			check.Mistake(one(func(c constantCase) float64 { return c.Lo }), median),
			check.Mistake(one(func(c constantCase) float64 { return c.Hi }), median),
			check.Mistake(one(func(c constantCase) float64 { return (c.Lo + c.Hi) / 2 }), median),
			check.Mistake(one(func(c constantCase) float64 {
				return (slices.Min(c.Y.Data) + slices.Max(c.Y.Data)) / 2
			}), "you returned the middle between the smallest and the largest value: that is best for the largest error"),
			check.Mistake(one(func(c constantCase) float64 { return c.Mean * float64(len(c.Y.Data)) }), "you returned the sum of y: divide by n"))...)
	})
	t.Run("BestConstantL1", func(t *testing.T) {
		defer check.Rescue(t)
		opts := []check.Option{check.Why("Σ|y−c| is flat where as many values lie below c as above")}
		got := each(func(c constantCase, _ []float64) []float64 {
			passed := c.Y.Floats()
			opts = append(opts, check.Kept("y", passed, c.Y.Floats()))
			lo, hi := l1l2.BestConstantL1(passed)
			return []float64{lo, hi}
		})
		check.Equal(t, "lo and hi of BestConstantL1(y)", got, each(func(c constantCase, _ []float64) []float64 { return []float64{c.Lo, c.Hi} }), check.Exact, append(opts,
			check.Mistake(each(func(c constantCase, _ []float64) []float64 { return []float64{c.Hi, c.Hi} }), "you returned the upper of the two middle values only: every constant between them is as good"),
			check.Mistake(each(func(c constantCase, _ []float64) []float64 { return []float64{c.Lo, c.Lo} }), "you returned the lower of the two middle values only: every constant between them is as good"),
			check.Mistake(each(func(c constantCase, _ []float64) []float64 {
				return []float64{(c.Lo + c.Hi) / 2, (c.Lo + c.Hi) / 2}
			}), "you returned the midpoint of the two middle values: it is one of the best constants, the step asks for all"),
			check.Mistake(each(func(c constantCase, _ []float64) []float64 { return []float64{c.Hi, c.Lo} }), "you exchanged lo and hi"),
			check.Mistake(each(func(_ constantCase, sorted []float64) []float64 {
				n := len(sorted)
				return []float64{sorted[n/2], sorted[min(n/2+1, n-1)]}
			}), "you counted the sorted values from 1: the middle ones have the indices (n−1)/2 and n/2, rounded down"),
			check.Mistake(each(func(_ constantCase, sorted []float64) []float64 {
				n := len(sorted)
				return []float64{sorted[max(n/2-1, 0)], sorted[n/2]}
			}), "you took two middle values where one is in the middle: of an odd number of values lo and hi are the same"),
			check.Mistake(each(func(_ constantCase, sorted []float64) []float64 {
				sorted = slices.Compact(sorted)
				n := len(sorted)
				return []float64{sorted[(n-1)/2], sorted[n/2]}
			}), "you counted a value once that occurs several times"),
			check.Mistake(each(func(c constantCase, sorted []float64) []float64 {
				n := len(sorted)
				return []float64{c.Y.Data[(n-1)/2], c.Y.Data[n/2]}
			}), "you took the middle of y as it stands: sort a copy first"))...)
	})
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
	t.Run("two values of x are enough", func(t *testing.T) {
		defer check.Rescue(t)
		got, want := map[string][]float64{}, map[string][]float64{}
		for _, p := range []points{{[]float64{2, 2, 5}, []float64{1, 1, 7}}, {[]float64{1, 2, 1}, []float64{-1, 1, -1}}, {[]float64{2, 5, 5}, []float64{1, 7, 7}}, {[]float64{5, 2}, []float64{7, 1}}} {
			call := fmt.Sprintf("%s(%v, %v)", name, p.x, p.y)
			intercept, slope := fit(check.Copy(p.x), check.Copy(p.y))
			got[call], want[call] = []float64{intercept, slope}, []float64{-3, 2}
		}
		intercept, slope := fit([]float64{0, 1e-10}, []float64{0, 1})
		got[name+"([0 1e-10], [0 1])"], want[name+"([0 1e-10], [0 1])"] = []float64{intercept, slope}, []float64{0, 1e10}
		check.Equal(t, name+" (intercept, slope)", got, want, check.Tol{Rel: 1e-9, Abs: 1e-9}, check.Why("one line passes through all these points: the values of x may occur several times and lie near each other"))
	})
}

func TestLeastSquares(t *testing.T) {
	defer check.Rescue(t)
	t.Run("lines", func(t *testing.T) {
		defer check.Rescue(t)
		const twice = "an x that occurs twice"
		cases := append(check.Golden[lineCase](t, "lines"), lineCase{ // by hand
			twice, check.Array{Shape: []int{4}, Data: []float64{0, 0, 1, 2}}, check.Array{Shape: []int{4}, Data: []float64{0, 4, 1, 8}}, 14. / 11, 29. / 11,
		})
		each := func(f func(c lineCase) []float64) map[string][]float64 {
			all := map[string][]float64{}
			for _, c := range cases {
				all[c.Name] = f(c)
			}
			return all
		}
		// through is the line of another slope through the point of means.
		through := func(slope func(x, y []float64) float64) map[string][]float64 {
			return each(func(c lineCase) []float64 {
				b := slope(c.X.Data, c.Y.Data)
				return []float64{stat.Mean(c.Y.Data, nil) - b*stat.Mean(c.X.Data, nil), b}
			})
		}
		opts := []check.Option{check.Why("the covariance of x and y over the variance of x; take the means away before you multiply, x may lie far from 0")}
		got := each(func(c lineCase) []float64 {
			xs, ys := c.X.Floats(), c.Y.Floats()
			opts = append(opts, check.Kept("x", xs, c.X.Floats()), check.Kept("y", ys, c.Y.Floats()))
			intercept, slope := l1l2.LeastSquares(xs, ys)
			return []float64{intercept, slope}
		})
		check.Equal(t, "LeastSquares(x, y) (intercept, slope)", got, each(func(c lineCase) []float64 { return []float64{c.Intercept, c.Slope} }), check.Rel(1e-8), append(opts,
			check.Mistake(each(func(c lineCase) []float64 { return []float64{c.Slope, c.Intercept} }), "you returned the slope first: the intercept comes first"),
			check.Mistake(each(func(c lineCase) []float64 {
				_, slope := stat.LinearRegression(c.X.Data, c.Y.Data, nil, true)
				return []float64{0, slope}
			}), "you fitted a line through the origin: Σxy/Σx² needs the means taken away"),
			check.Mistake(each(func(c lineCase) []float64 { return []float64{0, c.Slope} }), "you returned 0 for the intercept: the line passes through the means of x and y"),
			check.Mistake(through(func(x, y []float64) float64 { return stat.Variance(y, nil) / stat.Covariance(x, y, nil) }), "you fitted x to y: the errors are measured along y"),
			check.Mistake(through(func(x, y []float64) float64 { return stat.Covariance(x, y, nil) / stat.Variance(y, nil) }), "you divided by the spread of y: the slope is a covariance over the variance of x"),
			check.Mistake(through(func(x, y []float64) float64 {
				n := float64(len(x))
				return stat.Covariance(x, y, nil) / stat.Variance(x, nil) * n / (n - 1)
			}), "you divided one sum by n and the other by n − 1"),
			check.Mistake(through(func(x, y []float64) float64 {
				n := float64(len(x))
				return stat.Covariance(x, y, nil) / stat.Variance(x, nil) * (n - 1) / n
			}), "you divided one sum by n and the other by n − 1"),
			check.Mistake(each(func(c lineCase) []float64 {
				if c.Name == twice {
					return []float64{2. / 3, 3}
				}
				return []float64{c.Intercept, c.Slope}
			}), "you counted an x once that occurs several times: every point counts"),
			check.Mistake(each(func(c lineCase) []float64 {
				return []float64{stat.Mean(c.Y.Data, nil), c.Slope}
			}), "you returned the mean of y for the intercept: the line takes that value at the mean of x, not at 0"),
			check.Mistake(each(func(c lineCase) []float64 {
				return []float64{stat.Mean(c.Y.Data, nil) + c.Slope*stat.Mean(c.X.Data, nil), c.Slope}
			}), "you added slope·mean(x): the intercept is mean(y) minus it"))...)
	})
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
	above := map[string]points{ // several points above each other, also the first two and the last two
		"several points at one x":              {x: []float64{2, 2, 2, 5, 5, 7, 8}, y: []float64{1, 4, 9, 3, 6.5, 2, 8}},
		"several points at one x, mixed":       {x: []float64{1, 1, 0, 2, 0, 1, 2, 0, 0}, y: []float64{7, -3, 3, 5, -6, 1, -1, -5, -4}},
		"several points at one x, mixed again": {x: []float64{1, 1, 0, 2, 0, 0, 1, 2, 2}, y: []float64{4, -5, -2, 2, 4, 1, 9, -8, 7}},
	}
	cases := map[string]points{
		"telephone calls of the 18 good years": good, "telephone calls of all 24 years": years, "eleven points": scattered(11), "twelve points": scattered(12),
	}
	cases["a flat line"] = points{[]float64{0, 1, 2, 3, 4, 5}, []float64{4, 4, 9, 4, 4, 4}}
	cases["a steep line"] = points{[]float64{0, 1, 2, 3, 4, 5}, []float64{7, 5e6 + 7, 0, 15e6 + 7, 20e6 + 7, 25e6 + 7}}
	cases["a steep line down"] = points{[]float64{5, 4, 3, 2, 1, 0}, []float64{7, 5e6 + 7, 0, 15e6 + 7, 20e6 + 7, 25e6 + 7}}
	maps.Copy(cases, above)
	least := map[string]float64{"telephone calls of the 18 good years": 33.805, "telephone calls of all 24 years": 844}
	for name, p := range cases {
		if _, known := least[name]; !known {
			least[name] = p.leastSum(t)
		}
	}
	// Five points: the best line is y = 1 + x through (1, 2) and (6, 7), which stand in all places in turn.
	for a := range 5 {
		for b := range 5 {
			if a == b {
				continue
			}
			p := points{slices.Insert([]float64{2, 8, 7}, min(a, b, 3), 0), slices.Insert([]float64{6, 13, 7}, min(a, b, 3), 0)}
			p = points{slices.Insert(p.x, max(a, b), 0), slices.Insert(p.y, max(a, b), 0)}
			p.x[a], p.y[a], p.x[b], p.y[b] = 1, 2, 6, 7
			name := fmt.Sprintf("x %v, y %v", p.x, p.y)
			cases[name], least[name] = p, 8
		}
	}
	t.Run("least sums", func(t *testing.T) {
		defer check.Rescue(t)
		// sums are the sums of absolute errors of the lines that something else would choose.
		sums := func(choose func(p points) line) map[string]float64 {
			all := map[string]float64{}
			for name, p := range cases {
				all[name] = p.absoluteErrors(choose(p))
			}
			return all
		}
		absolute := func(r []float64) float64 { return sum(r, math.Abs) }
		pairs := func(allowed func(i, j, n int) bool) map[string]float64 { // j < i
			return sums(func(p points) line { return p.bestOf(func(i, j int) bool { return allowed(i, j, len(p.x)) }, absolute) })
		}
		costs := func(cost func(r []float64) float64) map[string]float64 {
			return sums(func(p points) line { return p.bestOf(func(_, _ int) bool { return true }, cost) })
		}
		opts := []check.Option{check.Why("no line has a smaller sum; some line through two of the points reaches it, wherever they stand in x and y")}
		got := sums(func(p points) line {
			x, y := check.Copy(p.x), check.Copy(p.y)
			intercept, slope := l1l2.LeastAbsolute(x, y)
			opts = append(opts, check.Kept("x", x, p.x), check.Kept("y", y, p.y))
			return line{intercept, slope}
		})
		divided := maps.Clone(least)
		for name := range above {
			divided[name] = math.NaN()
		}
		check.Equal(t, "sums of absolute errors of LeastAbsolute(x, y)", got, least, check.Rel(1e-9), append(opts,
			check.Mistake(sums(func(p points) line {
				intercept, slope := stat.LinearRegression(p.x, p.y, nil, false)
				return line{intercept, slope}
			}), "you returned the line of least squares"),
			check.Mistake(costs(func(r []float64) float64 { return sum(r, square) }), "you chose the pair by its squared errors: the sum of |r| decides"),
			check.Mistake(costs(func(r []float64) float64 { return sum(r, itself) }), "you added the residuals with their signs: take magnitudes first"),
			check.Mistake(costs(func(r []float64) float64 { return slices.Max(mapped(r, math.Abs)) }), "you chose the pair by its largest error: the sum of |r| decides"),
			check.Mistake(pairs(func(i, j, _ int) bool { return i == j+1 }), "you joined neighbours only: the best line may pass through any two points"),
			check.Mistake(pairs(func(_, j, _ int) bool { return j == 0 }), "you tried the lines through the first point only: the best line may pass through any two points"),
			check.Mistake(pairs(func(_, j, _ int) bool { return j > 0 }), "you left out the pairs with the first point"),
			check.Mistake(pairs(func(i, _, n int) bool { return i < n-1 }), "you left out the pairs with the last point"),
			check.Mistake(pairs(func(i, j, _ int) bool { return i > j+1 }), "you left out the pairs of neighbours"),
			check.Mistake(divided, "you divided by x[i]−x[j] where it is 0: two points above each other define no line, skip them"))...)
	})
	t.Run("the one best line", func(t *testing.T) {
		defer check.Rescue(t)
		intercept, slope := l1l2.LeastAbsolute(check.Copy(good.x), check.Copy(good.y))
		check.Equal(t, "LeastAbsolute(year, calls) (intercept, slope)", []float64{intercept, slope}, []float64{-53.28, 1.115}, check.Rel(1e-9),
			check.Why("the 18 good years have a single best line"))
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
