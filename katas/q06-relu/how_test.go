package relu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/check"
	relu "whyhow/katas/q06-relu"
)

// activationCase is one forward and backward of an activation, by PyTorch.
type activationCase struct {
	Name         string
	Z, Dy, H, Dz check.Array
	Slope        float64
}

// initialCase is what PyTorch's initialiser asks of a weight: the std of its normal form, the bound of its uniform one, which is √3 times as much.
type initialCase struct {
	Name          string
	FanIn, FanOut int
	Std, Bound    float64
}

// apply returns f of every pair of elements.
func apply(z, dy []float64, f func(z, dy float64) float64) []float64 {
	out := make([]float64, len(z))
	for i := range z {
		out[i] = f(z[i], dy[i])
	}
	return out
}

//kata:exempt NotLinear it takes nothing and returns two numbers

func TestReLU(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[activationCase](t, "relu") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z := c.Z.Floats()
			passed := check.Copy(z)
			got := relu.ReLU(passed)
			var six []check.Option
			if floats.Max(z) > 6 {
				six = append(six, check.Mistake(apply(z, z, func(z, _ float64) float64 { return min(max(0, z), 6) }), "you returned ReLU6, cut off at 6: ReLU has no upper bound"))
			}
			check.Equal(t, "ReLU(z)", got, c.H.Floats(), check.Rel(1e-12), append(six, check.Kept("z", passed, z),
				check.Why("ReLU(z) = max(0, z), element by element"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return math.Abs(z) }),
					"you took the absolute value: ReLU is 0 left of 0"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return min(0, z) }),
					"you kept the negative side and cut the positive one"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return min(max(0, z), 1) }),
					"you cut ReLU off at 1: it has no upper bound"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, 1, 0) }),
					"you returned the slope of ReLU: its value is z where z is positive"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return max(0, z) + math.Log1p(math.Exp(-math.Abs(z))) }),
					"you returned softplus, log(1+eᶻ): ReLU has a kink"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, z, math.Expm1(z)) }),
					"you returned the ELU, which is eᶻ−1 left of 0: ReLU is 0 there"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, z, 0.01*z) }),
					"you let 0.01·z through on the negative side: that is leaky ReLU"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return z / (1 + math.Exp(-z)) }),
					"you returned SiLU, z·σ(z): ReLU has a kink"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return z * math.Erfc(-z/math.Sqrt2) / 2 }),
					"you returned GELU, z·Φ(z): ReLU has a kink"))...)
		})
	}
	t.Run("no values", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "ReLU(nil)", relu.ReLU(nil), []float64{}, check.Exact)
	})
	t.Run("large and small values", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "ReLU([-1e300 1e300 -1e-300 1e-300])", relu.ReLU([]float64{-1e300, 1e300, -1e-300, 1e-300}), []float64{0, 1e300, 0, 1e-300}, check.Exact,
			check.Why("max(0, z) neither overflows nor rounds"))
	})
	t.Run("not linear", func(t *testing.T) {
		defer check.Rescue(t)
		a, b := relu.NotLinear()
		require.LessOrEqual(t, math.Max(math.Abs(a), math.Abs(b)), 1e6, "NotLinear() = %v, %v: want both within ±1e6", a, b)
		require.False(t, math.IsNaN(a+b), "NotLinear() = %v, %v: want two numbers", a, b)
		opts := []check.Option{
			check.With("a", a), check.With("b", b),
			check.Why("a linear function has f(a+b) = f(a) + f(b) for all a and b: one pair that breaks it settles the question"),
		}
		gap := math.Abs(max(0, a+b) - max(0, a) - max(0, b))
		switch {
		case a*b >= 0:
			opts = append(opts, check.Mistake(false, "you chose two numbers on the same side of 0, where ReLU is one straight line"))
		case gap < 1e-6:
			opts = append(opts, check.Mistake(false, "you chose a number too near to 0: the gap is as small as the smaller of the two"))
		}
		check.Equal(t, "|max(0,a+b) − max(0,a) − max(0,b)| ≥ 1e-6 for NotLinear()'s a and b", gap >= 1e-6, true, check.Exact, opts...)
	})
	check.Independent(t, "ReLU(z)", relu.ReLU, check.Args{[]float64{1, -2, 3}}, check.Args{[]float64{2, 1, -3}})
	check.Independent(t, "ReLU(positive)", relu.ReLU, check.Args{[]float64{1, 2, 3}}, check.Args{[]float64{2, 1, 3}})
}

func TestSlopes(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[activationCase](t, "relu") {
		t.Run("ReLU, "+c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, dy := c.Z.Floats(), c.Dy.Floats()
			passedZ, passedDy := check.Copy(z), check.Copy(dy)
			got := relu.ReLUBackward(passedZ, passedDy)
			check.Equal(t, "ReLUBackward(z, dy)", got, c.Dz.Floats(), check.Rel(1e-12), check.Kept("z", passedZ, z), check.Kept("dy", passedDy, dy),
				check.Why("the slope is 1 where the input was positive and 0 elsewhere, 0 itself included; it multiplies dy"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z >= 0, dy, 0) }),
					"you gave ReLU the slope 1 at 0: here, as in PyTorch, it is 0"),
				check.Mistake(apply(z, dy, func(_, dy float64) float64 { return max(0, dy) }),
					"you took the mask from the upstream gradient: it is the sign of the input z that decides"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return max(0, z) * dy }),
					"you multiplied by the output of ReLU: multiply by its slope, 0 or 1"),
				check.Mistake(apply(z, dy, func(z, _ float64) float64 { return pick(z > 0, 1, 0) }),
					"you returned the slope alone: the chain rule multiplies it by dy"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy * pick(z > 0, 1, pick(z < 0, -1, 0)) }),
					"you let dy through with the other sign where z is negative: the slope is 0 there"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, 0, dy) }),
					"you let dy through where z ≤ 0, and nowhere else: it is the other way round"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy * pick(z > 0, 1, pick(z < 0, 0, 0.5)) }),
					"you gave ReLU the slope ½ at 0: here, as in PyTorch, it is 0"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, max(0, dy), 0) }),
					"you let through positive gradients only: where z is positive, dy passes with either sign"))
		})
	}
	t.Run("ReLU, central differences", func(t *testing.T) {
		defer check.Rescue(t)
		z, dy := awayFromZero(t, 9)
		got := relu.ReLUBackward(check.Copy(z), check.Copy(dy))
		check.Gradient(t, "ReLUBackward(z, dy)", got, z, func() float64 {
			return floats.Sum(apply(z, dy, func(z, dy float64) float64 { return max(0, z) * dy }))
		})
	})
	t.Run("lengths", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "ReLUBackward of 3 inputs and 2 gradients", func() { relu.ReLUBackward([]float64{1, 2, 3}, []float64{1, 2}) })
		check.Panics(t, "ReLUBackward of 2 inputs and nil for the gradients", func() { relu.ReLUBackward([]float64{1, 2}, nil) })
		check.Panics(t, "ReLUBackward of no inputs and 2 gradients", func() { relu.ReLUBackward(nil, []float64{1, 2}) })
		check.Panics(t, "ReLUBackward of 2 inputs and 3 gradients", func() { relu.ReLUBackward([]float64{1, 2}, []float64{1, 2, 3}) })
	})
	const infinite = "you divided one exponential by another: where both overflow, ∞/∞ is NaN"
	for _, c := range check.Golden[activationCase](t, "sigmoid") {
		t.Run("sigmoid, "+c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, dy := c.Z.Floats(), c.Dy.Floats()
			got := apply(z, dy, func(z, dy float64) float64 { return relu.SigmoidSlope(z) * dy })
			// PyTorch's σ(z)(1−σ(z)) is 0 at z = 40, where the slope is 4e-18: hence the absolute floor.
			check.Equal(t, "SigmoidSlope(z)·dy", got, c.Dz.Floats(), check.Tol{Rel: 1e-9, Abs: 1e-14}, check.With("z", z), check.With("dy", dy),
				check.Why("σ′(z) = σ(z)(1 − σ(z)), finite for every z"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy / (1 + math.Exp(-z)) }),
					"you returned σ(z), the value: its slope is asked for"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy * z * (1 - z) }),
					"you computed z(1−z), as if z were σ(z) already"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy / (1 + math.Exp(z)) }),
					"you returned 1−σ(z): the slope is σ(z) times that"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy * (1 - math.Pow(math.Tanh(z), 2)) }),
					"you returned the slope of tanh"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy * math.Exp(-z) / math.Pow(1+math.Exp(-z), 2) }), infinite),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return dy * math.Exp(z) / math.Pow(1+math.Exp(z), 2) }), infinite))
		})
	}
	t.Run("sigmoid, between the middle and the tails", func(t *testing.T) {
		defer check.Rescue(t)
		slopes := map[string]float64{}
		want := map[string]float64{}
		for _, z := range []float64{-31, -24, -16, -9, -0.005, 0.005, 9, 16, 24, 31} {
			slopes[fmt.Sprint(z)] = relu.SigmoidSlope(z)
			want[fmt.Sprint(z)] = 0.25 / math.Pow(math.Cosh(z/2), 2)
		}
		check.Equal(t, "SigmoidSlope(z), z =", slopes, want, check.Tol{Abs: 1e-14}, check.Why("1/4 at 0 alone; far out about e^−|z|, and not 0"))
	})
	z, dy := []float64{1, -2, 3}, []float64{0.5, 2, -1}
	check.Independent(t, "ReLUBackward(z, dy)", relu.ReLUBackward, check.Args{z, dy}, check.Args{dy, z})
	check.Independent(t, "SigmoidSlope(z)", relu.SigmoidSlope, check.Args{0.5}, check.Args{1.5})
}

// pick returns yes if condition holds, no otherwise.
func pick(condition bool, yes, no float64) float64 {
	if condition {
		return yes
	}
	return no
}

// awayFromZero returns n inputs of both signs, 0.1 from the kink at the least, and a random upstream gradient.
func awayFromZero(t *testing.T, n int) (z, dy []float64) {
	rng := check.Rand(t)
	z, dy = make([]float64, n), make([]float64, n)
	for i := range z {
		z[i] = pick(i%2 == 0, 1, -1) * (0.1 + rng.Float64())
		dy[i] = rng.NormFloat64()
	}
	return z, dy
}

func TestLeaky(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[activationCase](t, "leaky") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, dy := c.Z.Floats(), c.Dy.Floats()
			passed := check.Copy(z)
			got := relu.Leaky(passed, c.Slope)
			fixed := []check.Option{} // of the case where 0.01 is the slope, nothing can be said
			if c.Slope != 0.01 {
				fixed = append(fixed, check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, z, 0.01*z) }), "you used 0.01 in place of slope"))
			}
			check.Equal(t, "Leaky(z, slope)", got, c.H.Floats(), check.Rel(1e-12), append(fixed, check.Kept("z", passed, z), check.With("slope", c.Slope),
				check.Why("z where z is positive, slope·z elsewhere"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, c.Slope*z, z) }),
					"you put the leak on the positive side"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return max(0, z) }),
					"you let nothing through on the negative side"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, z, -c.Slope*z) }),
					"you lost the sign of z on the negative side"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return max(c.Slope, z) }),
					"you returned slope alone on the negative side: it is slope·z there"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return max(0, z) + c.Slope*z }),
					"you added slope·z on both sides: it takes the place of z on the negative side alone"),
				check.Mistake(apply(z, z, func(z, _ float64) float64 { return pick(z > 0, z, c.Slope*math.Expm1(z)) }),
					"you returned the ELU, which is slope·(eᶻ−1) left of 0: leaky ReLU is a straight line there"))...)

			passedZ, passedDy := check.Copy(z), check.Copy(dy)
			got = relu.LeakyBackward(passedZ, passedDy, c.Slope)
			fixed = nil
			if c.Slope != 0.01 {
				fixed = append(fixed, check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, dy, 0.01*dy) }), "you used 0.01 in place of slope"))
			}
			check.Equal(t, "LeakyBackward(z, dy, slope)", got, c.Dz.Floats(), check.Rel(1e-12), append(fixed, check.Kept("z", passedZ, z), check.Kept("dy", passedDy, dy), check.With("slope", c.Slope),
				check.Why("dy times 1 where z is positive, times slope elsewhere, at 0 too"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, c.Slope*dy, dy) }),
					"you sent the leak backwards on the positive side"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, dy, 0) }),
					"you sent nothing back where z ≤ 0: the leak is there to keep such a unit alive"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, z, c.Slope*z) * dy }),
					"you multiplied by the output of the leaky ReLU: multiply by its slope"),
				check.Mistake(apply(z, dy, func(_, dy float64) float64 { return pick(dy > 0, dy, c.Slope*dy) }),
					"you chose the slope by the sign of dy: it is the sign of z that decides"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z >= 0, dy, c.Slope*dy) }),
					"you gave leaky ReLU the slope 1 at 0: here, as in PyTorch, it is the leak's"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, dy, c.Slope*z) }),
					"you returned slope·z on the negative side, the output: its derivative is slope, times dy"),
				check.Mistake(apply(z, dy, func(z, _ float64) float64 { return pick(z > 0, 1, c.Slope) }),
					"you returned the slope of leaky ReLU alone: the chain rule multiplies it by dy"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, dy, -c.Slope*dy) }),
					"you sent back dy with the other sign on the negative side: leaky ReLU rises there too"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, dy, pick(z < 0, c.Slope*dy, 0)) }),
					"you gave leaky ReLU the slope 0 at 0: here, as in PyTorch, it is the leak's"),
				check.Mistake(apply(z, dy, func(z, dy float64) float64 { return pick(z > 0, dy, c.Slope) }),
					"you returned slope on the negative side: it multiplies dy"))...)
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		z, dy := awayFromZero(t, 9)
		for _, slope := range []float64{0.3, 0.9} {
			got := relu.LeakyBackward(check.Copy(z), check.Copy(dy), slope)
			check.Gradient(t, fmt.Sprintf("LeakyBackward(z, dy, %v)", slope), got, z, func() float64 {
				return floats.Sum(apply(z, dy, func(z, dy float64) float64 { return max(z, slope*z) * dy }))
			})
		}
	})
	t.Run("large and small values", func(t *testing.T) {
		defer check.Rescue(t)
		z := []float64{-1e300, 1e300, -1e-300, 1e-300}
		check.Equal(t, "Leaky(z, 0.75)", relu.Leaky(check.Copy(z), 0.75), []float64{-0.75e300, 1e300, -0.75e-300, 1e-300}, check.Tol{Rel: 1e-12},
			check.With("z", z), check.Why("z or slope·z, however large or small"))
	})
	takesSlope := !t.Failed()
	t.Run("no leak", func(t *testing.T) {
		defer check.Rescue(t)
		usual := func(value ...float64) []check.Option {
			if takesSlope {
				return []check.Option{check.Mistake(value, "you took a slope of 0 for none, and used 0.01")}
			}
			return nil
		}
		check.Equal(t, "Leaky([-2 3], 0)", relu.Leaky([]float64{-2, 3}, 0), []float64{0, 3}, check.Exact, usual(-0.02, 3)...)
		check.Equal(t, "LeakyBackward([-2 3], [5 7], 0)", relu.LeakyBackward([]float64{-2, 3}, []float64{5, 7}, 0), []float64{0, 7}, check.Exact, usual(0.05, 7)...)
		check.Equal(t, "Leaky(nil, 0.1)", relu.Leaky(nil, 0.1), []float64{}, check.Exact)
	})
	t.Run("lengths", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "LeakyBackward of 1 input and 2 gradients", func() { relu.LeakyBackward([]float64{1}, []float64{1, 2}, 0.1) })
		check.Panics(t, "LeakyBackward of 2 inputs and nil for the gradients", func() { relu.LeakyBackward([]float64{1, 2}, nil, 0.1) })
		check.Panics(t, "LeakyBackward of no inputs and 2 gradients", func() { relu.LeakyBackward(nil, []float64{1, 2}, 0.1) })
		check.Panics(t, "LeakyBackward of 2 inputs and 1 gradient", func() { relu.LeakyBackward([]float64{1, 2}, []float64{1}, 0.1) })
	})
	z, dy := []float64{1, -2, 3}, []float64{0.5, 2, -1}
	check.Independent(t, "Leaky(z, slope)", relu.Leaky, check.Args{z, 0.1}, check.Args{dy, 0.2})
	check.Independent(t, "LeakyBackward(z, dy, slope)", relu.LeakyBackward, check.Args{z, dy, 0.1}, check.Args{dy, z, 0.2})
}

func TestInitialStd(t *testing.T) {
	defer check.Rescue(t)
	const integers = "you divided two integers, which gives 0 here: convert both to float64 first"
	each := func(section string, f func(c initialCase) float64) map[string]float64 {
		out := map[string]float64{}
		for _, c := range check.Golden[initialCase](t, section) {
			out[fmt.Sprintf("fan-in %d, fan-out %d", c.FanIn, c.FanOut)] = f(c)
		}
		return out
	}
	t.Run("He", func(t *testing.T) {
		defer check.Rescue(t)
		got := each("he", func(c initialCase) float64 { return relu.HeStd(c.FanIn) })
		of := func(f func(n float64) float64) map[string]float64 {
			return each("he", func(c initialCase) float64 { return f(float64(c.FanIn)) })
		}
		if check.Equal(t, "HeStd(fanIn)", got, each("he", func(c initialCase) float64 { return c.Std }), check.Rel(1e-12),
			check.Why("the standard deviation PyTorch's kaiming_normal_ draws with, for a ReLU"),
			check.Mistake(of(func(n float64) float64 { return 1 / math.Sqrt(n) }), "you chose the variance 1/fanIn: ReLU cuts half of the signal away, the weights must make up for it"),
			check.Mistake(of(func(n float64) float64 { return 2 / n }), "you returned the variance: its root is the standard deviation"),
			check.Mistake(of(func(n float64) float64 { return 1 / math.Sqrt(2*n) }), "you put the 2 on the wrong side of the fraction"),
			check.Mistake(of(func(n float64) float64 { return math.Sqrt(6 / n) }), "you returned the bound of the uniform form: the standard deviation is asked for"),
			check.Mistake(of(func(n float64) float64 { return 1 / n }), "you returned the variance 1/fanIn: ReLU cuts half of the signal away, and the standard deviation is asked for"),
			check.Mistake(of(func(n float64) float64 { return math.Sqrt2 / n }), "you took the root of the 2 only: it is the root of the whole fraction"),
			check.Mistake(of(func(n float64) float64 { return 2 / math.Sqrt(n) }), "you left the 2 outside the root"),
			check.Mistake(of(func(n float64) float64 { return math.Sqrt(2 * n) }), "you multiplied by the fan-in: with more inputs each weight must be smaller"),
			check.Mistake(each("he", func(c initialCase) float64 { return math.Sqrt(float64(2 / c.FanIn)) }), integers)) {
			check.Equal(t, "√3·HeStd(fanIn)", each("he", func(c initialCase) float64 { return math.Sqrt(3) * relu.HeStd(c.FanIn) }), each("he", func(c initialCase) float64 { return c.Bound }), check.Rel(1e-12),
				check.Why("the bound of the uniform form"))
		}
	})
	t.Run("Glorot", func(t *testing.T) {
		defer check.Rescue(t)
		got := each("glorot", func(c initialCase) float64 { return relu.GlorotStd(c.FanIn, c.FanOut) })
		of := func(f func(in, out float64) float64) map[string]float64 {
			return each("glorot", func(c initialCase) float64 { return f(float64(c.FanIn), float64(c.FanOut)) })
		}
		if check.Equal(t, "GlorotStd(fanIn, fanOut)", got, each("glorot", func(c initialCase) float64 { return c.Std }), check.Rel(1e-12),
			check.Why("the standard deviation PyTorch's xavier_normal_ draws with"),
			check.Mistake(of(func(in, out float64) float64 { return 2 / (in + out) }), "you returned the variance of Glorot's weights: its root is the standard deviation"),
			check.Mistake(of(func(in, out float64) float64 { return 1 / math.Sqrt(in+out) }), "you divided by the sum of both fans: divide by their mean"),
			check.Mistake(of(func(in, _ float64) float64 { return 1 / math.Sqrt(in) }), "you left the fan-out out: Glorot's is a compromise between both directions"),
			check.Mistake(of(func(_, out float64) float64 { return 1 / math.Sqrt(out) }), "you left the fan-in out: Glorot's is a compromise between both directions"),
			check.Mistake(of(func(in, out float64) float64 { return math.Sqrt(6 / (in + out)) }), "you returned the bound of Glorot's uniform form: the standard deviation is asked for"),
			check.Mistake(of(func(in, _ float64) float64 { return math.Sqrt(2 / in) }), "you returned He's: Glorot's counts both fans"),
			check.Mistake(of(func(in, out float64) float64 { return math.Sqrt(2 / (in * out)) }), "you multiplied the fans: their mean counts"),
			check.Mistake(of(func(in, out float64) float64 { return math.Sqrt2 / (in + out) }), "you took the root of the 2 only: it is the root of the whole fraction"),
			check.Mistake(of(func(in, out float64) float64 { return 2 / math.Sqrt(in+out) }), "you are a factor √2 too large: the 2 stands inside the root, and the gain is 1"),
			check.Mistake(of(func(in, out float64) float64 { return math.Sqrt(1/in + 1/out) }), "you added the variances 1/fanIn and 1/fanOut: it is the mean of the fans that counts"),
			check.Mistake(of(func(in, out float64) float64 { return math.Pow(in*out, -0.25) }), "you took the geometric mean of the fans: it is half of their sum that counts"),
			check.Mistake(each("glorot", func(c initialCase) float64 { return 1 / math.Sqrt(float64((c.FanIn+c.FanOut)/2)) }), "you halved the sum of the fans as an integer: an odd sum loses ½"),
			check.Mistake(each("glorot", func(c initialCase) float64 { return math.Sqrt(float64(2 / (c.FanIn + c.FanOut))) }), integers)) {
			check.Equal(t, "√3·GlorotStd(fanIn, fanOut)", each("glorot", func(c initialCase) float64 { return math.Sqrt(3) * relu.GlorotStd(c.FanIn, c.FanOut) }), each("glorot", func(c initialCase) float64 { return c.Bound }), check.Rel(1e-12),
				check.Why("the bound of the uniform form"))
		}
	})
	t.Run("one input", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "HeStd(1)", relu.HeStd(1), math.Sqrt2, check.Rel(1e-12))
		check.Equal(t, "GlorotStd(1, 1)", relu.GlorotStd(1, 1), 1.0, check.Rel(1e-12))
	})
	t.Run("no inputs", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "GlorotStd(5, -3)", func() { relu.GlorotStd(5, -3) })
		check.Panics(t, "HeStd(0)", func() { relu.HeStd(0) })
		check.Panics(t, "HeStd(-4)", func() { relu.HeStd(-4) })
		check.Panics(t, "GlorotStd(-5, 3)", func() { relu.GlorotStd(-5, 3) })
		check.Panics(t, "GlorotStd(0, 3)", func() { relu.GlorotStd(0, 3) })
		check.Panics(t, "GlorotStd(3, 0)", func() { relu.GlorotStd(3, 0) })
	})
	check.Independent(t, "HeStd(fanIn)", relu.HeStd, check.Args{7}, check.Args{8})
	check.Independent(t, "GlorotStd(fanIn, fanOut)", relu.GlorotStd, check.Args{7, 4}, check.Args{8, 9})
}

func TestDeadFraction(t *testing.T) {
	defer check.Rescue(t)
	batches := map[string]*mat.Dense{
		"one of three alive":          mat.NewDense(4, 3, []float64{1, -1, 0, -2, -3, 0, 3, -1, -1, -1, -2, -4}),
		"three of five alive":         mat.NewDense(3, 5, []float64{-1, 2, 0, -3, 5, 4, -2, 0, -1, 6, -2, -1, -1, -4, -3}),
		"all alive, each on one row":  mat.NewDense(3, 3, []float64{1, -1, -1, -1, 1e-9, -1, -1, -1, 1}),
		"all dead":                    mat.NewDense(2, 3, []float64{-1, 0, -2, -3, -1, 0}),
		"alive on the last row alone": mat.NewDense(3, 2, []float64{-1, -1, -5, -1, 2, -1}),
		"one example":                 mat.NewDense(1, 4, []float64{1, -1, 0, 2}),
	}
	each := func(f func(z *mat.Dense) float64) map[string]float64 {
		found := map[string]float64{}
		for name, z := range batches {
			found[name] = f(z)
		}
		return found
	}
	share := func(units []int, dead func(j int) bool) float64 { // of the units that are dead
		return float64(len(slices.DeleteFunc(units, func(j int) bool { return !dead(j) }))) / float64(len(units))
	}
	columns := func(z *mat.Dense, dead func(column []float64) bool) float64 {
		return share(upTo(z.RawMatrix().Cols), func(j int) bool { return dead(mat.Col(nil, j, z)) })
	}
	fraction := func(z *mat.Dense) float64 {
		return columns(z, func(column []float64) bool { return floats.Max(column) <= 0 })
	}
	t.Run("batches", func(t *testing.T) {
		defer check.Rescue(t)
		passed, got := map[string]*mat.Dense{}, map[string]float64{}
		for name, z := range batches {
			passed[name] = mat.DenseCopyOf(z) // no views: code that ignores the stride would be given a wrong name
			got[name] = relu.DeadFraction(passed[name])
		}
		right := check.Equal(t, "DeadFraction(z), z with", got, each(fraction), check.Abs(1e-12), check.Kept("z", passed, batches),
			check.Why("a unit is dead if no row of its column is positive"),
			check.Mistake(each(func(z *mat.Dense) float64 { return fraction(z) * float64(z.RawMatrix().Cols) }),
				"you returned a number of units: the fraction of them is asked for"),
			check.Mistake(each(func(z *mat.Dense) float64 { return fraction(mat.DenseCopyOf(z.T())) }),
				"you counted examples without an active unit: a row is an example, a column a unit"),
			check.Mistake(each(func(z *mat.Dense) float64 { return columns(z, func(c []float64) bool { return floats.Max(c) < 0 }) }),
				"you took z = 0 for alive: the slope there is 0 too"),
			check.Mistake(each(func(z *mat.Dense) float64 { return columns(z, func(c []float64) bool { return floats.Max(c) <= 1e-6 }) }),
				"you took a small positive z for dead: wherever z > 0 the slope is 1"),
			check.Mistake(each(func(z *mat.Dense) float64 {
				values := z.RawMatrix().Data
				return share(upTo(len(values)), func(i int) bool { return values[i] <= 0 })
			}), "you counted single values that are not positive: a unit is dead only if that holds on every row"),
			check.Mistake(each(func(z *mat.Dense) float64 { return math.Trunc(fraction(z)) }),
				"you divided two integers, which gives 0 for every fraction below 1: convert both to float64 first"),
			check.Mistake(each(func(z *mat.Dense) float64 { return 100 * fraction(z) }), "you returned per cent: the fraction is 0…1"),
			check.Mistake(each(func(z *mat.Dense) float64 { return 1 - fraction(z) }),
				"you returned the fraction of units that are alive"),
			check.Mistake(each(func(z *mat.Dense) float64 { return columns(z, func(c []float64) bool { return floats.Min(c) <= 0 }) }),
				"you counted a unit as dead that is inactive on one row: it must be on all"),
			check.Mistake(each(func(z *mat.Dense) float64 { return columns(z, func(c []float64) bool { return floats.Sum(c) <= 0 }) }),
				"you looked at the sum or the mean over the batch: one positive z keeps a unit alive"),
			check.Mistake(each(func(z *mat.Dense) float64 { return columns(z, func(c []float64) bool { return c[0] <= 0 }) }),
				"you looked at the first row only"),
			check.Mistake(each(func(z *mat.Dense) float64 { return columns(z, func(c []float64) bool { return c[len(c)-1] <= 0 }) }),
				"you looked at the last row only"),
			check.Mistake(each(func(z *mat.Dense) float64 {
				return fraction(z) * float64(z.RawMatrix().Cols) / float64(z.RawMatrix().Rows)
			}), "you divided by the number of rows: the fraction is one of the units, the columns"))
		if !right {
			return
		}
		nan := math.NaN()
		z := mat.NewDense(3, 4, []float64{nan, 1, nan, -1, -1, nan, 2, nan, -2, -1, -1, -3})
		check.Equal(t, "DeadFraction of units with [NaN -1 -2], [1 NaN -1], [NaN 2 -1] and [-1 NaN -3]", relu.DeadFraction(z), 0.5, check.Exact,
			check.Why("a NaN is not positive: the first and the last unit are dead"))
	})
	t.Run("empty", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "DeadFraction of an empty matrix", func() { relu.DeadFraction(&mat.Dense{}) })
	})
	z := mat.NewDense(3, 4, []float64{1, -1, -1, 0, -1, -1, 2, 0, 1, 0, -1, 0})
	check.Independent(t, "DeadFraction(z)", relu.DeadFraction, check.Args{z}, check.Args{mat.NewDense(3, 4, []float64{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})})
}

// upTo is 0, 1, … n−1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// slip is a mistake on the way through a stack of layers.
type slip int

const (
	none       slip = iota
	transposed      // the weights of a layer are drawn column by column
	sameW           // all layers have the weights of the first
	noReLU          // z goes on as it is
	sameInput       // every layer gets the input x
	cutInput        // the input goes through a ReLU
	smallInput      // the input is drawn with the weights' std
	late            // the first moment is the input's
)

// stack sends an input through random ReLU layers as SecondMoments is to, and returns what measure says of the inputs z
// and the outputs h of every layer. The slip is a mistake to make on the way.
func stack(layers, width int, std float64, rng *rand.Rand, s slip, measure func(z, h []float64) float64) []float64 {
	draw := func(rows int, std float64) *mat.Dense {
		m := mat.NewDense(rows, width, nil)
		m.Apply(func(int, int, float64) float64 { return std * rng.NormFloat64() }, m)
		return m
	}
	h := draw(1, pick(s == smallInput, std, 1))
	if s == cutInput {
		h.Apply(func(_, _ int, v float64) float64 { return max(0, v) }, h)
	}
	x := h
	found := make([]float64, layers)
	var w mat.Matrix
	for l := range found {
		if l == 0 || s != sameW {
			w = draw(width, std)
		}
		if s == transposed {
			w = w.T()
		}
		var z, next mat.Dense
		z.Mul(h, w)
		next.Apply(func(_, _ int, v float64) float64 { return pick(v > 0 || s == noReLU, v, 0) }, &z)
		measured := &next
		if s == late {
			measured = h
		}
		found[l] = measure(z.RawRowView(0), measured.RawRowView(0))
		h = &next
		if s == sameInput {
			h = x
		}
	}
	return found
}

// drawsAll says so if passed, which SecondMoments has drawn from, is not where fresh is after all numbers.
func drawsAll(t *testing.T, layers, width int, passed, fresh *rand.Rand) {
	t.Helper()
	for range width + layers*width*width {
		fresh.NormFloat64()
	}
	check.Equal(t, fmt.Sprintf("the next number of rng after SecondMoments(%d, %d, …)", layers, width), passed.NormFloat64(), fresh.NormFloat64(), check.Exact,
		check.Why("it draws width + layers·width² numbers, no more and no less, whatever they are"))
}

func TestSecondMoments(t *testing.T) {
	defer check.Rescue(t)
	secondMoment := func(_, h []float64) float64 { return floats.Dot(h, h) / float64(len(h)) }
	for _, c := range []struct {
		name          string
		layers, width int
		std           float64
	}{
		{"7 layers of 12", 7, 12, 0.35},
		{"3 layers of 30", 3, 30, 0.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			seed := check.Rand(t).Uint64()
			rng := func() *rand.Rand { return rand.New(rand.NewPCG(seed, 6)) }
			want := stack(c.layers, c.width, c.std, rng(), none, secondMoment)
			passed := rng()
			got := relu.SecondMoments(c.layers, c.width, c.std, passed)
			check.Equal(t, "SecondMoments(layers, width, std, rng)", got, want, check.Rel(1e-9),
				check.With("layers", c.layers), check.With("width", c.width), check.With("std", c.std),
				check.Why("draw x, then layer by layer a fresh W of N(0, std²), in×out, row by row; h ← ReLU(h·W); mean of h²"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), none, func(_, h []float64) float64 { return stat.PopVariance(h, nil) }),
					"you took the variance of h: after a ReLU the mean is not 0, and what the next layer feels is the mean of h²"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), none, func(z, _ []float64) float64 { return floats.Dot(z, z) / float64(len(z)) }),
					"you measured before the ReLU"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), none, func(_, h []float64) float64 { return stat.Mean(h, nil) }),
					"you took the mean of h, not of h²"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), none, func(_, h []float64) float64 { return floats.Dot(h, h) }),
					"you summed h²: the mean is ÷ width"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), none, func(z, h []float64) float64 { return math.Sqrt(secondMoment(z, h)) }),
					"you took the root of the mean of h²"),
				check.Mistake(stack(c.layers, c.width, c.std*c.std, rng(), none, secondMoment),
					"you scaled the weights by std²: std is a standard deviation already"),
				check.Mistake(stack(c.layers, c.width, math.Sqrt(c.std), rng(), none, secondMoment),
					"you scaled the weights by √std: std is a standard deviation, not a variance"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), transposed, secondMoment),
					"you drew W out×in, all weights into unit 0 first: it is in×out here, all weights from unit 0 first"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), sameW, secondMoment),
					"you drew W once: every layer gets weights of its own"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), noReLU, secondMoment),
					"you left the ReLU out"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), sameInput, secondMoment),
					"you sent the input into every layer: the next one gets what the last gave"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), cutInput, secondMoment),
					"you sent the input through a ReLU: the first layer gets it as it is drawn"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), smallInput, secondMoment),
					"you drew the input with std too: it is of N(0, 1)"),
				check.Mistake(stack(c.layers, c.width, c.std, rng(), late, secondMoment),
					"you measured what goes into each layer: it is what comes out of it that counts"))
			drawsAll(t, c.layers, c.width, passed, rng())
		})
	}
	drawn := !t.Failed() // else it is said already
	t.Run("one layer, or one unit", func(t *testing.T) {
		defer check.Rescue(t)
		for _, c := range [][2]int{{1, 4}, {1, 1}, {3, 1}} {
			for seed := range uint64(4) { // a stack of width 1 is 0 from the first negative z on
				rng := func() *rand.Rand { return rand.New(rand.NewPCG(seed, 6)) }
				passed := rng()
				check.Equal(t, fmt.Sprintf("SecondMoments(%d, %d, 0.9, rng)", c[0], c[1]), relu.SecondMoments(c[0], c[1], 0.9, passed), stack(c[0], c[1], 0.9, rng(), none, secondMoment), check.Rel(1e-9))
				if drawn {
					drawsAll(t, c[0], c[1], passed, rng())
				}
			}
		}
	})
	t.Run("weights of 0", func(t *testing.T) {
		defer check.Rescue(t)
		rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 6)) }
		passed := rng()
		check.Equal(t, "SecondMoments(3, 8, 0, rng)", relu.SecondMoments(3, 8, 0, passed), []float64{0, 0, 0}, check.Abs(1e-12),
			check.Why("with std 0 every weight is 0"),
			check.Mistake(stack(3, 8, 0.5, rng(), none, secondMoment), "you took a std of 0 for none, and used He's"))
		if drawn {
			drawsAll(t, 3, 8, passed, rng())
		}
	})
	t.Run("no layers", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		check.Panics(t, "SecondMoments of −1 layers", func() { relu.SecondMoments(-1, 3, 1, rng) })
		check.Panics(t, "SecondMoments of width −1", func() { relu.SecondMoments(3, -1, 1, rng) })
		check.Panics(t, "SecondMoments of 0 layers", func() { relu.SecondMoments(0, 3, 1, rng) })
		check.Panics(t, "SecondMoments of width 0", func() { relu.SecondMoments(3, 0, 1, rng) })
		check.Panics(t, "SecondMoments of −1 layers of width −1", func() { relu.SecondMoments(-1, -1, 1, rng) })
	})
	check.Independent(t, "SecondMoments(layers, width, std, rng)", relu.SecondMoments, check.Args{3, 4, 0.5, check.Seed(1)}, check.Args{2, 5, 0.7, check.Seed(2)})
}
