package crossentropy_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"

	"whyhow/katas/kit/check"
	crossentropy "whyhow/katas/q01-cross-entropy"
)

//kata:exempt NotConvex it takes nothing and returns two numbers

func TestSigmoid(t *testing.T) {
	defer check.Rescue(t)
	const cancelled = "you subtracted two numbers near 1, as 1 − σ(−z) and 1 + tanh(z/2) do: for z far below 0 the difference loses every digit"
	for _, c := range check.Golden[struct{ Z, A check.Array }](t, "sigmoid") {
		z := c.Z.Floats()
		check.Equal(t, "Sigmoid(z)", each(z, crossentropy.Sigmoid), c.A.Floats(), check.Tol{Rel: 1e-14},
			check.Why("the relative error is at most 1e-14, in the far tail too"), check.With("z", z),
			check.Mistake(each(z, func(z float64) float64 { return math.Exp(z) / (1 + math.Exp(z)) }),
				"you divided e^z by 1 + e^z: e^800 is infinite, and ∞/∞ is NaN; divide numerator and denominator by e^z"),
			check.Mistake(each(z, func(z float64) float64 { return 1 - 1/(1+math.Exp(z)) }), cancelled),
			check.Mistake(each(z, func(z float64) float64 { return (1 + math.Tanh(z/2)) / 2 }), cancelled),
			check.Mistake(each(z, func(z float64) float64 { return 1 / (1 + math.Exp(z)) }),
				"you computed σ(−z): the exponent is −z"))
	}
	if !t.Failed() {
		sweep := halves()
		check.Equal(t, "Sigmoid(z)", each(sweep, crossentropy.Sigmoid), each(sweep, sigma), check.Tol{Rel: 1e-14},
			check.Why("the relative error is at most 1e-14, wherever one formula gives way to another"), check.With("z", sweep))
	}
	far := []float64{-math.MaxFloat64, -1e300, -1500, -720, 1500, 1e300, math.MaxFloat64}
	finite(t, "Sigmoid(z)", each(far, crossentropy.Sigmoid), far)
	check.Independent(t, "Sigmoid(z)", crossentropy.Sigmoid, check.Args{0.5}, check.Args{-1.5})
}

// lossCase is a golden case: pairs of logit and target, both losses, and their slopes.
type lossCase struct {
	Name                         string
	Z, Y                         check.Array
	Log, Squared, DLog, DSquared check.Array
}

const (
	twice   = "you applied the sigmoid twice: z is the logit, σ(z) the output"
	clipped = "you clipped the probability, or added a small number to it, before the logarithm: a wrong answer's loss grows without bound"
)

func TestLosses(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[lossCase](t, "losses") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, y := c.Z.Floats(), c.Y.Floats()
			check.Equal(t, "LogLoss(z, y)", pairs(z, y, crossentropy.LogLoss), c.Log.Floats(), check.Rel(1e-9), append(
				hardened(z, y, func(z, y float64) float64 { return -y*math.Log(sigma(z)) - (1-y)*math.Log(sigma(-z)) }),
				check.Why("−y·ln a − (1−y)·ln(1−a) with a = σ(z)"), check.With("z", z), check.With("y", y),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { a := sigma(z); return -a*math.Log(y) - (1-a)*math.Log(1-y) }),
					"you swapped the roles: the target is outside the logarithm, the output inside"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return -y * math.Log(sigma(z)) }),
					"you left the second term out: the targets below 1 need −(1−y)·ln(1−a)"),
				check.Mistake(pairs(z, y, func(z, _ float64) float64 { return -math.Log(sigma(z)) }), "you took every target for 1: −ln a is multiplied by y"),
				check.Mistake(scaled(-1, c.Log.Floats()), "you left the minus signs out: the logarithm of a probability is negative"),
				check.Mistake(scaled(1/math.Ln2, c.Log.Floats()), "you took logarithms to base 2: nats need the natural logarithm"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { a := sigma(sigma(z)); return -y*math.Log(a) - (1-y)*math.Log(1-a) }), twice),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { a := sigma(z); return -(1-y)*math.Log(a) - y*math.Log(1-a) }),
					"you exchanged the terms: y belongs to ln a, 1−y to ln(1−a)"))...)
			check.Equal(t, "SquaredLoss(z, y)", pairs(z, y, crossentropy.SquaredLoss), c.Squared.Floats(), check.Rel(1e-9),
				check.Why("½(a−y)² with a = σ(z)"), check.With("z", z), check.With("y", y),
				check.Mistake(scaled(2, c.Squared.Floats()), "you lost the ½ of ½(a−y)²"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return (z - y) * (z - y) / 2 }),
					"you compared the logit with the target: the output is σ(z)"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { a := sigma(sigma(z)); return (a - y) * (a - y) / 2 }), twice))
		})
	}
	for _, c := range check.Golden[lossCase](t, "saturated") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, y := c.Z.Floats(), c.Y.Floats()
			var clips []check.Option
			for k := 4; k <= 16; k++ {
				eps := math.Pow10(-k)
				clips = append(clips,
					check.Mistake(pairs(z, y, func(z, y float64) float64 {
						a := min(max(sigma(z), eps), 1-eps)
						return -y*math.Log(a) - (1-y)*math.Log(1-a)
					}), clipped),
					check.Mistake(pairs(z, y, func(z, y float64) float64 {
						a := sigma(z)
						return -y*math.Log(max(a, eps)) - (1-y)*math.Log(max(1-a, eps))
					}), clipped),
					check.Mistake(pairs(z, y, func(z, y float64) float64 {
						a := sigma(z)
						return -y*math.Log(a+eps) - (1-y)*math.Log(1-a+eps)
					}), clipped))
			}
			check.Equal(t, "LogLoss(z, y)", pairs(z, y, crossentropy.LogLoss), c.Log.Floats(), check.Rel(1e-9), append(clips,
				check.Why("far from 0 the loss of a wrong answer grows like |z|"), check.With("z", z), check.With("y", y),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { a := sigma(z); return -y*math.Log(a) - (1-y)*math.Log(1-a) }),
					"you took the logarithm of an output that was rounded to 0 or 1: rewrite the loss in terms of z first"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return math.Log1p(math.Exp(z)) - y*z }),
					"you took e^z of a large z: ln(1 + e^z) = z + ln(1 + e^−z) needs only small exponentials"))...)
			check.Equal(t, "SquaredLoss(z, y)", pairs(z, y, crossentropy.SquaredLoss), c.Squared.Floats(), check.Rel(1e-9),
				check.Why("½(a−y)² never exceeds ½"), check.With("z", z), check.With("y", y))
		})
	}
	for _, c := range check.Golden[lossCase](t, "nearly_sure") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, y := c.Z.Floats(), c.Y.Floats()
			check.Equal(t, "LogLoss(z, y)", pairs(z, y, crossentropy.LogLoss), c.Log.Floats(), check.Rel(1e-9),
				check.Why("1−a loses digits where a is near 1: write both logarithms in terms of z"), check.With("z", z), check.With("y", y))
		})
	}
	if !t.Failed() {
		t.Run("half a logit apart", func(t *testing.T) {
			defer check.Rescue(t)
			z := halves()
			for _, y := range []float64{0, 0.25, 1} {
				check.Equal(t, fmt.Sprintf("LogLoss(z, %v)", y), each(z, func(z float64) float64 { return crossentropy.LogLoss(z, y) }),
					each(z, func(z float64) float64 { return y*math.Log1p(math.Exp(-z)) + (1-y)*math.Log1p(math.Exp(z)) }), check.Rel(1e-9),
					check.Why("off by no more than 1e-9 of its value, wherever one formula gives way to another"), check.With("z", z))
				check.Equal(t, fmt.Sprintf("SquaredLoss(z, %v)", y), each(z, func(z float64) float64 { return crossentropy.SquaredLoss(z, y) }),
					each(z, func(z float64) float64 { return (sigma(z) - y) * (sigma(z) - y) / 2 }), check.Rel(1e-9), check.With("z", z))
			}
		})
	}
	t.Run("as far as float64 goes", func(t *testing.T) {
		defer check.Rescue(t)
		z, y := []float64{math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64}, []float64{0, 0.25, 1, 0, 0.25, 1}
		finite(t, "LogLoss(z, y)", pairs(z, y, crossentropy.LogLoss), z)
	})
	check.Independent(t, "LogLoss(z, y)", crossentropy.LogLoss, check.Args{0.5, 0.25}, check.Args{-1.5, 0.75})
	check.Independent(t, "SquaredLoss(z, y)", crossentropy.SquaredLoss, check.Args{0.5, 0.25}, check.Args{-1.5, 0.75})
}

func TestSlopes(t *testing.T) {
	defer check.Rescue(t)
	tol := check.Abs(1e-15)
	for _, c := range check.Golden[lossCase](t, "losses") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, y, dlog, dsquared := c.Z.Floats(), c.Y.Floats(), c.DLog.Floats(), c.DSquared.Floats()
			byOutput := func(z, y float64) float64 { a := sigma(z); return (a - y) / (a * (1 - a)) }
			check.Equal(t, "LogLossGrad(z, y)", pairs(z, y, crossentropy.LogLossGrad), dlog, tol, append(
				hardened(z, y, func(z, y float64) float64 { return sigma(z) - y }),
				check.Why("the derivative of LogLoss by the logit"), check.With("z", z), check.With("y", y),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return -y * (1 - sigma(z)) }),
					"you left the derivative of the second term out: −(1−y)·ln(1−a) depends on z too"),
				check.Mistake(dsquared, "you multiplied by σ′(z): that is the slope of the squared error; in cross-entropy σ′ cancels"),
				check.Mistake(pairs(z, y, byOutput), "you took the derivative by the output a: by the logit it is multiplied by da/dz = σ′(z)"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return sigma(sigma(z)) - y }), twice),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return z - y }), "you compared the logit with the target: the output is σ(z)"),
				check.Mistake(scaled(-1, dlog), "you have the sign the wrong way round: raising the logit of an output that is too high raises the loss"))...)
			check.Equal(t, "SquaredLossGrad(z, y)", pairs(z, y, crossentropy.SquaredLossGrad), dsquared, tol,
				check.Why("the derivative of SquaredLoss by the logit"), check.With("z", z), check.With("y", y),
				check.Mistake(dlog, "you left σ′(z) out: a − y is the derivative by the output, and the chain rule goes on to the logit"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return (sigma(z) - y) * z * (1 - z) }), "you took z·(1 − z) for σ′(z): it is σ(z)·(1 − σ(z))"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { return sigma(z) * (1 - sigma(z)) }), "you left a − y out: σ′(z) is only the second factor of the chain rule"),
				check.Mistake(pairs(z, y, func(z, y float64) float64 { a := sigma(z); return (a - y) * (1 - a*a) }), "you took 1 − a² for σ′(z): that is the slope of tanh"),
				check.Mistake(scaled(2, dsquared), "you lost the ½: the 2 of the square cancels it"),
				check.Mistake(scaled(-1, dsquared), "you have the sign the wrong way round: raising the logit of an output that is too high raises the loss"))
		})
	}
	for _, c := range check.Golden[lossCase](t, "saturated") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, y := c.Z.Floats(), c.Y.Floats()
			check.Equal(t, "LogLossGrad(z, y)", pairs(z, y, crossentropy.LogLossGrad), c.DLog.Floats(), tol,
				check.Why("near ±1 where the answer is wrong"), check.With("z", z), check.With("y", y))
			check.Equal(t, "SquaredLossGrad(z, y)", pairs(z, y, crossentropy.SquaredLossGrad), c.DSquared.Floats(), tol,
				check.Why("nearly 0 where the neuron is saturated, right or wrong"), check.With("z", z), check.With("y", y))
		})
	}
	if !t.Failed() {
		t.Run("half a logit apart", func(t *testing.T) {
			defer check.Rescue(t)
			z := halves()
			for _, y := range []float64{0, 0.25, 1} {
				check.Equal(t, fmt.Sprintf("LogLossGrad(z, %v)", y), each(z, func(z float64) float64 { return crossentropy.LogLossGrad(z, y) }),
					each(z, func(z float64) float64 { return (1-y)*sigma(z) - y*sigma(-z) }), tol,
					check.Why("off by no more than 1e-15, wherever one formula gives way to another"), check.With("z", z))
				check.Equal(t, fmt.Sprintf("SquaredLossGrad(z, %v)", y), each(z, func(z float64) float64 { return crossentropy.SquaredLossGrad(z, y) }),
					each(z, func(z float64) float64 { return ((1-y)*sigma(z) - y*sigma(-z)) * sigma(z) * sigma(-z) }), tol, check.With("z", z))
			}
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		var z, y, upstream []float64
		for range 12 {
			z, y, upstream = append(z, 2*rng.NormFloat64()), append(y, rng.Float64()), append(upstream, rng.NormFloat64())
		}
		logLoss := func(z, y float64) float64 { return -y*math.Log(sigma(z)) - (1-y)*math.Log(sigma(-z)) }
		squaredLoss := func(z, y float64) float64 { return (sigma(z) - y) * (sigma(z) - y) / 2 }
		weighed := func(slopes []float64) []float64 { return floats.MulTo(make([]float64, len(slopes)), upstream, slopes) }
		check.Gradient(t, "LogLossGrad(z, y), each times a random factor", weighed(pairs(z, y, crossentropy.LogLossGrad)), z,
			func() float64 { return floats.Dot(upstream, pairs(z, y, logLoss)) })
		check.Gradient(t, "SquaredLossGrad(z, y), each times a random factor", weighed(pairs(z, y, crossentropy.SquaredLossGrad)), z,
			func() float64 { return floats.Dot(upstream, pairs(z, y, squaredLoss)) })
	})
	check.Independent(t, "LogLossGrad(z, y)", crossentropy.LogLossGrad, check.Args{0.5, 0.25}, check.Args{-1.5, 0.75})
	check.Independent(t, "SquaredLossGrad(z, y)", crossentropy.SquaredLossGrad, check.Args{0.5, 0.25}, check.Args{-1.5, 0.75})
}

// classCase is a golden case: logits, their softmax, and the cross-entropy of a label with its gradient.
type classCase struct {
	Name  string
	Z     check.Array
	Label int
	Probs check.Array
	Loss  float64
	Grad  check.Array
}

const softmaxTwice = "you applied softmax twice: z are logits, not yet probabilities"

func TestCrossEntropy(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[classCase](t, "classes") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			z, passed, p := c.Z.Floats(), c.Z.Floats(), c.Probs.Floats()
			exps := each(z, math.Exp)
			check.Equal(t, "Softmax(z)", crossentropy.Softmax(passed), p, check.Rel(1e-12),
				check.Why("e^(z_k) over the sum of all"), check.Kept("z", passed, z),
				check.Mistake(exps, "you did not divide by the sum: probabilities add up to 1"),
				check.Mistake(scaled(1/floats.Max(exps), exps), "you divided by the largest exponential: divide by the sum of all"),
				check.Mistake(each(p, math.Log), "you returned the logarithms of the probabilities"),
				check.Mistake(softmax(p), softmaxTwice),
				check.Mistake(scaled(1/floats.Norm(exps, 2), exps), "you divided by the root of the sum of squares: probabilities add up to 1"),
				check.Mistake(scaled(1/floats.Sum(z), z), "you left the exponentials out"),
				check.Mistake(each(z, sigma), "you returned the sigmoid of each logit: with classes that exclude each other the probabilities add up to 1"))

			passed = c.Z.Floats()
			loss, grad := crossentropy.CrossEntropy(passed, c.Label)
			binary := 0.0
			for k, v := range z {
				if k == c.Label {
					v = -v
				}
				binary += math.Log1p(math.Exp(v))
			}
			check.Equal(t, "CrossEntropy(z, class) loss", loss, c.Loss, check.Rel(1e-9),
				check.Why("−ln of the probability of the class"), check.With("class", c.Label), check.Kept("z", passed, z),
				check.Mistake(-c.Loss, "you left the minus sign of −ln p out"),
				check.Mistake(1-p[c.Label], "you returned 1 − p: the loss is −ln p"),
				check.Mistake(c.Loss/math.Ln2, "you took the logarithm to base 2: nats need the natural logarithm"),
				check.Mistake(-floats.Sum(each(p, math.Log)), "you summed −ln p over all classes: only the given one counts"),
				check.Mistake(binary, "you added a cross-entropy with a sigmoid for every class: the classes exclude each other, one softmax is for all"),
				check.Mistake(-math.Log(softmax(p)[c.Label]), softmaxTwice))
			check.Equal(t, "CrossEntropy(z, class) grad", grad, c.Grad.Floats(), check.Rel(1e-12),
				check.Why("the gradient by every logit"), check.With("class", c.Label), check.With("z", z),
				check.Mistake(with(softmax(p), c.Label, softmax(p)[c.Label]-1), softmaxTwice),
				check.Mistake(p, "you left the class out: the gradient is not p alone, its own logit lowers the loss"),
				check.Mistake(with(p, c.Label, p[c.Label]+1), "you added 1 at the class: its own logit lowers the loss"),
				check.Mistake(scaled(-1, c.Grad.Floats()), "you have the sign the wrong way round: raising a wrong logit raises the loss"),
				check.Mistake(with(make([]float64, len(p)), c.Label, p[c.Label]-1), "you left the other classes out: every logit is in the sum below the fraction"))
		})
	}
	t.Run("large logits", func(t *testing.T) {
		defer check.Rescue(t)
		large := check.Golden[classCase](t, "large")
		each := func(f func(z []float64, class int) []float64) map[string][]float64 {
			out := map[string][]float64{}
			for _, c := range large {
				out[fmt.Sprintf("%v, class %d", c.Z.Data, c.Label)] = f(c.Z.Floats(), c.Label)
			}
			return out
		}
		var probs, losses, grads [][]float64
		for _, c := range large {
			probs, losses, grads = append(probs, c.Probs.Floats()), append(losses, []float64{c.Loss}), append(grads, c.Grad.Floats())
		}
		next := func(values [][]float64) map[string][]float64 {
			i := -1
			return each(func([]float64, int) []float64 { i++; return values[i] })
		}
		lossesOf := func(probs [][]float64, f func(i int, p []float64) float64) (out [][]float64) {
			for i, p := range probs {
				out = append(out, []float64{f(i, p)})
			}
			return out
		}
		shifted := func(by func(z []float64) float64) map[string][]float64 {
			return each(func(z []float64, _ int) []float64 {
				floats.AddConst(-by(z), z)
				for k, v := range z {
					z[k] = math.Exp(v)
				}
				return scaled(1/floats.Sum(z), z)
			})
		}
		check.Equal(t, "Softmax(z) of z =", each(func(z []float64, _ int) []float64 { return crossentropy.Softmax(z) }), next(probs), check.Rel(1e-12),
			check.Why("softmax does not change when one number is subtracted from all logits"),
			check.Mistake(shifted(func([]float64) float64 { return 0 }), "you took e^z of the logits as they are: e^1000 overflows and e^−1000 is 0; subtract the largest logit first"),
			check.Mistake(shifted(func(z []float64) float64 { return max(0, floats.Max(z)) }), "you looked for the largest logit from 0 on: where all are negative, the largest is below 0"))
		var clips []check.Option
		for k := 4; k <= 20; k++ {
			eps := math.Pow10(-k)
			clips = append(clips,
				check.Mistake(next(lossesOf(probs, func(i int, p []float64) float64 { return -math.Log(max(p[large[i].Label], eps)) })), clipped),
				check.Mistake(next(lossesOf(probs, func(i int, p []float64) float64 { return -math.Log(p[large[i].Label] + eps) })), clipped))
		}
		check.Equal(t, "CrossEntropy(z, class) loss of z =", each(func(z []float64, class int) []float64 {
			loss, _ := crossentropy.CrossEntropy(z, class)
			return []float64{loss}
		}), next(losses), check.Rel(1e-9), append(clips,
			check.Why("ln Σ e^(z_k) − z_class, computed without overflow"),
			check.Mistake(next(lossesOf(probs, func(i int, p []float64) float64 { return -math.Log(p[large[i].Label]) })),
				"you took the logarithm of a probability that is rounded to 0: subtract in logarithms"))...)
		check.Equal(t, "CrossEntropy(z, class) grad of z =", each(func(z []float64, class int) []float64 {
			_, grad := crossentropy.CrossEntropy(z, class)
			return grad
		}), next(grads), check.Rel(1e-12), check.Why("the gradient by every logit"))
	})
	if !t.Failed() { // a shift that is missing altogether has its name already
		t.Run("6000 apart", func(t *testing.T) {
			defer check.Rescue(t)
			const another = "you subtracted another number than the largest logit: what is left may still be too large for e^z"
			z := []float64{0, 3000, 3000, -3000}
			check.Equal(t, "Softmax(z)", crossentropy.Softmax(check.Copy(z)), []float64{0, 0.5, 0.5, 0}, check.Rel(1e-12),
				check.Why("two equal logits, far above all others"), check.With("z", z),
				check.Mistake([]float64{0, math.NaN(), math.NaN(), 0}, another),
				check.Mistake([]float64{math.NaN(), math.NaN(), math.NaN(), 0}, another))
			loss, grad := crossentropy.CrossEntropy(check.Copy(z), 0)
			check.Equal(t, "CrossEntropy(z, 0) loss", loss, 3000+math.Ln2, check.Rel(1e-9),
				check.Why("ln(2e³⁰⁰⁰) − 0"), check.With("z", z))
			check.Equal(t, "CrossEntropy(z, 0) grad", grad, []float64{-1, 0.5, 0.5, 0}, check.Rel(1e-12), check.With("z", z))
		})
	}
	if !t.Failed() { // nor may a loss that is wrong anywhere be taken for a rounded one
		t.Run("logits of 1e17", func(t *testing.T) {
			defer check.Rescue(t)
			const rounded = "you added the logarithm of the sum to a large logit, which rounds it away: subtract the largest logit from the others first"
			z := []float64{1e17, 0, 1e17}
			check.Equal(t, "Softmax(z)", crossentropy.Softmax(check.Copy(z)), []float64{0.5, 0, 0.5}, check.Rel(1e-12),
				check.Why("two equal logits, far above the third"), check.With("z", z), check.Mistake([]float64{1, 0, 1}, rounded))
			var losses []float64
			for class := range z {
				loss, grad := crossentropy.CrossEntropy(check.Copy(z), class)
				losses = append(losses, loss)
				check.Equal(t, fmt.Sprintf("CrossEntropy(z, %d) grad", class), grad, with([]float64{0.5, 0, 0.5}, class, []float64{-0.5, -1, -0.5}[class]), check.Rel(1e-12),
					check.With("z", z), check.Mistake(with([]float64{1, 0, 1}, class, []float64{0, -1, 0}[class]), rounded))
			}
			check.Equal(t, "CrossEntropy(z, class) loss of the classes 0, 1 and 2", losses, []float64{math.Ln2, 1e17, math.Ln2}, check.Rel(1e-9),
				check.Why("ln 2 + 1e17 − z_class"), check.With("z", z), check.Mistake([]float64{0, 1e17, 0}, rounded))
		})
	}
	if !t.Failed() {
		t.Run("half a logit apart", func(t *testing.T) {
			defer check.Rescue(t)
			z := halves()
			second := func(f func(z []float64) float64) []float64 {
				return each(z, func(d float64) float64 { return f([]float64{0, d}) })
			}
			check.Equal(t, "Softmax of the logits 0 and d, the second", second(func(z []float64) float64 { return crossentropy.Softmax(z)[1] }), each(z, sigma),
				check.Rel(1e-12), check.Why("of two classes softmax is the sigmoid of their difference"), check.With("d", z))
			check.Equal(t, "CrossEntropy of the logits 0 and d, loss of class 1", second(func(z []float64) float64 {
				loss, _ := crossentropy.CrossEntropy(z, 1)
				return loss
			}), each(z, func(d float64) float64 { return math.Log1p(math.Exp(-d)) }), check.Rel(1e-9), check.Why("ln(1 + e⁻ᵈ)"), check.With("d", z))
			check.Equal(t, "CrossEntropy of the logits 0 and d, gradient of class 0 by d", second(func(z []float64) float64 {
				_, grad := crossentropy.CrossEntropy(z, 0)
				return grad[1]
			}), each(z, sigma), check.Rel(1e-12), check.Why("p of the second"), check.With("d", z))
		})
	}
	t.Run("as far as float64 goes", func(t *testing.T) {
		defer check.Rescue(t)
		z := []float64{-math.MaxFloat64, math.MaxFloat64}
		check.Equal(t, "Softmax(z)", crossentropy.Softmax(check.Copy(z)), []float64{0, 1}, check.Rel(1e-12), check.With("z", z))
		loss, grad := crossentropy.CrossEntropy(check.Copy(z), 1)
		check.Equal(t, "CrossEntropy(z, 1) loss", loss, 0.0, check.Rel(1e-9), check.With("z", z))
		check.Equal(t, "CrossEntropy(z, 1) grad", grad, []float64{0, 0}, check.Rel(1e-12), check.With("z", z))
	})
	t.Run("one class", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "Softmax of the logit −3 alone", crossentropy.Softmax([]float64{-3}), []float64{1}, check.Rel(1e-12), check.Why("the only class is certain"))
		loss, grad := crossentropy.CrossEntropy([]float64{-3}, 0)
		check.Equal(t, "CrossEntropy of the logit −3 alone: loss and gradient", []float64{loss, grad[0]}, []float64{0, 0}, check.Abs(1e-12), check.Why("the only class is certain"))
	})
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		z := make([]float64, 6)
		for k := range z {
			z[k] = 1.5 * rng.NormFloat64()
		}
		const class = 2
		_, grad := crossentropy.CrossEntropy(check.Copy(z), class)
		check.Gradient(t, "CrossEntropy(z, 2) grad", grad, z, func() float64 { return floats.LogSumExp(z) - z[class] })
	})
	t.Run("wrong arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Softmax of no logits", func() { crossentropy.Softmax(nil) })
		check.Panics(t, "Softmax of an empty slice", func() { crossentropy.Softmax([]float64{}) })
		check.Panics(t, "CrossEntropy of no logits and the class 0", func() { crossentropy.CrossEntropy(nil, 0) })
		check.Panics(t, "CrossEntropy of 3 logits and the class 3", func() { crossentropy.CrossEntropy([]float64{1, 2, 3}, 3) })
		check.Panics(t, "CrossEntropy of 3 logits and the class −1", func() { crossentropy.CrossEntropy([]float64{1, 2, 3}, -1) })
	})
	z, other := []float64{0.5, -1, 2, 0.25}, []float64{1.5, 0, -2, 1}
	check.Independent(t, "Softmax(z)", crossentropy.Softmax, check.Args{z}, check.Args{other})
	check.Independent(t, "CrossEntropy(z, class)", crossentropy.CrossEntropy, check.Args{z, 1}, check.Args{other, 2})
}

func TestGradientRatio(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[struct{ Z, R check.Array }](t, "ratio") {
		z, r := c.Z.Floats(), c.R.Floats()
		check.Equal(t, "GradientRatio(z)", each(z, crossentropy.GradientRatio), r, check.Rel(1e-12),
			check.Why("the slope of cross-entropy over that of squared error, at every |z| ≤ 700"), check.With("z", z),
			check.Mistake(each(z, func(z float64) float64 { a := sigma(z); return 1 / (a * (1 - a)) }),
				"you divided by 1 − σ(z), which is rounded to 0 from z = 37 on: σ(−z) is the same number with all its digits"),
			check.Mistake(each(r, func(r float64) float64 { return 1 / r }), "you turned the ratio upside down: it is never below 4"),
			check.Mistake(each(z, func(z float64) float64 { return 2 * math.Cosh(z) }), "you lost the 2: (1 + e^z)(1 + e^−z) has four terms, two of them 1"))
	}
	if !t.Failed() {
		z := halves()
		check.Equal(t, "GradientRatio(z)", each(z, crossentropy.GradientRatio), each(z, func(z float64) float64 { return (1 + math.Exp(z)) * (1 + math.Exp(-z)) }),
			check.Rel(1e-12), check.Why("the relative error is at most 1e-12, wherever one formula gives way to another"), check.With("z", z))
	}
	check.Independent(t, "GradientRatio(z)", crossentropy.GradientRatio, check.Args{0.5}, check.Args{-1.5})
}

// neuronCase is a golden case: how one neuron was trained, and its output after every update.
type neuronCase struct {
	Name, Loss       string
	W, B, X, Y, Rate float64
	Epochs           int
	Outputs          check.Array
}

func TestTrainNeuron(t *testing.T) {
	defer check.Rescue(t)
	slopes := map[string]func(z, y float64) float64{
		"log":     func(z, y float64) float64 { return sigma(z) - y },
		"squared": func(z, y float64) float64 { return (sigma(z) - y) * sigma(z) * sigma(-z) },
	}
	for _, c := range check.Golden[neuronCase](t, "neuron") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			slope := slopes[c.Loss]
			// run trains with a step of the test's own.
			run := func(step func(w, b float64) (dw, db float64)) []float64 {
				w, b := c.W, c.B
				var outputs []float64
				for range c.Epochs {
					dw, db := step(w, b)
					w, b = w-c.Rate*dw, b-c.Rate*db
					outputs = append(outputs, sigma(w*c.X+b))
				}
				return outputs
			}
			at := func(w, b float64) float64 { return slope(w*c.X+b, c.Y) }
			var own []check.Option // with cross-entropy the two coincide
			if c.Loss == "squared" {
				own = append(own,
					check.Mistake(run(func(w, b float64) (dw, db float64) { d := sigma(w*c.X+b) - c.Y; return d * c.X, d }),
						"you moved by the slope of cross-entropy: take the slope that you are given"),
					check.Mistake(run(func(w, b float64) (dw, db float64) {
						z := w*c.X + b
						d := at(w, b) * sigma(z) * sigma(-z)
						return d * c.X, d
					}),
						"you multiplied the slope by σ′(z): it is the derivative by the logit already"))
			}
			want := c.Outputs.Floats()
			got := crossentropy.TrainNeuron(slope, c.W, c.B, c.X, c.Y, c.Rate, c.Epochs)
			check.Equal(t, "TrainNeuron(slope, 1.2, −0.7, x: −1.75, y: 0.8, rate: 0.6, epochs: 12)", got, want, check.Rel(1e-9), append(own,
				check.Why("the output after each of the updates"),
				check.Mistake(append([]float64{sigma(c.W*c.X + c.B)}, want[:len(want)-1]...), "you noted the output before each update: note it after"),
				check.Mistake(run(func(w, b float64) (dw, db float64) { return at(w, b) * c.X, at(w, b) * c.X }),
					"you moved b by slope·x: the logit is w·x + b, so its derivative by b is 1"),
				check.Mistake(run(func(w, b float64) (dw, db float64) { return at(w, b), at(w, b) }),
					"you moved w by the slope alone: the logit is w·x + b, so its derivative by w is x"),
				check.Mistake(run(func(w, b float64) (dw, db float64) { dw = at(w, b) * c.X; return dw, at(w-c.Rate*dw, b) }),
					"you moved b by the slope at the new w: both move by the slope at the same point"),
				check.Mistake(run(func(w, b float64) (dw, db float64) { db = at(w, b); return at(w, b-c.Rate*db) * c.X, db }),
					"you moved w by the slope at the new b: both move by the slope at the same point"),
				check.Mistake(run(func(w, b float64) (dw, db float64) { return at(w, b) * c.X, 0 }), "you did not move b"),
				check.Mistake(run(func(w, b float64) (dw, db float64) { return -at(w, b) * c.X, -at(w, b) }), "you added the gradient: descent subtracts it"))...)
		})
		t.Run(c.Name+", already right", func(t *testing.T) {
			defer check.Rescue(t)
			check.Equal(t, "TrainNeuron(slope, 0.5, 54, x: 2, y: 1, rate: 0.6, epochs: 5)", crossentropy.TrainNeuron(slopes[c.Loss], 0.5, 54, 2, 1, 0.6, 5),
				[]float64{1, 1, 1, 1, 1}, check.Rel(1e-9), check.Why("σ(55) is 1, the slope there 0: nothing moves, in each of 5 epochs"))
		})
	}
	t.Run("no epoch", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "TrainNeuron(slope, 1.2, −0.7, x: −1.75, y: 0.8, rate: 0.6, epochs: 0)",
			crossentropy.TrainNeuron(slopes["log"], 1.2, -0.7, -1.75, 0.8, 0.6, 0), []float64{}, check.Exact, check.Why("an output for each update, and there is none"))
	})
	if !t.Failed() {
		t.Run("zeros that are meant", func(t *testing.T) {
			defer check.Rescue(t)
			a := sigma(0.8)
			check.Equal(t, "TrainNeuron(slope, 1, 0.3, x: 0.5, y: 0, rate: 0, epochs: 2)", crossentropy.TrainNeuron(slopes["log"], 1, 0.3, 0.5, 0, 0, 2), []float64{a, a}, check.Rel(1e-9),
				check.Why("at the rate 0 nothing moves"))
			check.Equal(t, "TrainNeuron(slope, 1, 0.8, x: 0, y: 0, rate: 0.5, epochs: 1)", crossentropy.TrainNeuron(slopes["log"], 1, 0.8, 0, 0, 0.5, 1), []float64{sigma(0.8 - 0.5*a)}, check.Rel(1e-9),
				check.Why("the input 0 moves b alone"))
		})
	}
	check.Independent(t, "TrainNeuron(slope, w, b, x, y, rate, epochs)", crossentropy.TrainNeuron,
		check.Args{slopes["log"], 1.2, -0.7, -1.75, 0.8, 0.6, 4}, check.Args{slopes["squared"], 0.8, 0.7, 1.25, 0.2, 0.3, 4})
}

// finite fails t if a value is not finite.
func finite(t *testing.T, call string, got, z []float64) {
	t.Helper()
	if slices.ContainsFunc(got, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
		t.Errorf("%s = %.3g for z = %.3g, want finite numbers", call, got, z)
	}
}

// hardened names what f gives if a target between 0 and 1 is taken for one of the two. Where there is none, it names nothing.
func hardened(z, y []float64, f func(z, y float64) float64) []check.Option {
	if !slices.ContainsFunc(y, func(y float64) bool { return y > 0 && y < 1 }) {
		return nil
	}
	const says = "you took a target between 0 and 1 for 0 or 1: it weighs both terms"
	return []check.Option{
		check.Mistake(pairs(z, y, func(z, y float64) float64 { return f(z, math.Round(y)) }), says),
		check.Mistake(pairs(z, y, func(z, y float64) float64 { return f(z, math.Floor(y)) }), says),
	}
}

// softmax is for the values of mistakes.
func softmax(z []float64) []float64 {
	exps := each(z, math.Exp)
	return scaled(1/floats.Sum(exps), exps)
}

// sigma is the textbook sigmoid, for the values of mistakes and for central differences.
func sigma(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// halves are logits from −60 to 60, half a unit apart: shortcuts far from 0 begin between them.
func halves() []float64 { return floats.Span(make([]float64, 241), -60, 60) }

func each(z []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = f(v)
	}
	return out
}

func pairs(z, y []float64, f func(z, y float64) float64) []float64 {
	out := make([]float64, len(z))
	for i := range z {
		out[i] = f(z[i], y[i])
	}
	return out
}

func scaled(by float64, v []float64) []float64 {
	return floats.ScaleTo(make([]float64, len(v)), by, v)
}

// with is v with one value replaced.
func with(v []float64, k int, value float64) []float64 {
	out := check.Copy(v)
	out[k] = value
	return out
}
