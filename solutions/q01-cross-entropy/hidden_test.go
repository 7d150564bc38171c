//go:build hidden

package crossentropy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q01-cross-entropy"
	reference "whyhow/solutions/q01-cross-entropy"
)

// The tolerances are the promised ones and a little more: the reference is rounded too.

// hiddenLogit draws a logit near 0 or far from it, but not beyond ±most.
func hiddenLogit(rng *rand.Rand, most float64) float64 {
	return min(max([]float64{1, 20, 300}[rng.IntN(3)]*rng.NormFloat64(), -most), most)
}

// hiddenTarget draws a target: 0, 1, or one between them.
func hiddenTarget(rng *rand.Rand) float64 {
	return []float64{0, 1, rng.Float64(), rng.Float64()}[rng.IntN(4)]
}

func TestHiddenSigmoid(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 500 {
		z := hiddenLogit(rng, 700)
		check.Equal(t, fmt.Sprintf("Sigmoid(%v)", z), learner.Sigmoid(z), reference.Sigmoid(z), check.Tol{Rel: 1.1e-14})
		z = 1000 + 1e6*rng.ExpFloat64()
		check.Equal(t, fmt.Sprintf("Sigmoid(%v)", z), learner.Sigmoid(z), 1.0, check.Tol{Rel: 1.1e-14})
		check.Equal(t, fmt.Sprintf("Sigmoid(%v)", -z), learner.Sigmoid(-z), 0.0, check.Abs(1e-300))
	}
}

func TestHiddenLosses(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 500 {
		z, y := hiddenLogit(rng, 1000), hiddenTarget(rng)
		args := fmt.Sprintf("(%v, %v)", z, y)
		check.Equal(t, "LogLoss"+args, learner.LogLoss(z, y), reference.LogLoss(z, y), check.Rel(1e-9))
		check.Equal(t, "SquaredLoss"+args, learner.SquaredLoss(z, y), reference.SquaredLoss(z, y), check.Rel(1e-9))
	}
	for range 50 {
		z := math.MaxFloat64 * (1 - rng.Float64()/4) * float64(1-2*rng.IntN(2))
		y := hiddenTarget(rng)
		loss := learner.LogLoss(z, y)
		check.Equal(t, fmt.Sprintf("LogLoss(%v, %v) is finite", z, y), !math.IsNaN(loss) && !math.IsInf(loss, 0), true, check.Exact)
	}
}

func TestHiddenSlopes(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 500 {
		z, y := hiddenLogit(rng, 1000), hiddenTarget(rng)
		args := fmt.Sprintf("(%v, %v)", z, y)
		check.Equal(t, "LogLossGrad"+args, learner.LogLossGrad(z, y), reference.LogLossGrad(z, y), check.Abs(1.2e-15))
		check.Equal(t, "SquaredLossGrad"+args, learner.SquaredLossGrad(z, y), reference.SquaredLossGrad(z, y), check.Abs(1.2e-15))
	}
}

func TestHiddenCrossEntropy(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		scale := []float64{1, 30, 1000, 1e17}[rng.IntN(4)]
		z := check.Normal(rng, 1+rng.IntN(9), scale)
		if k, l := rng.IntN(len(z)), rng.IntN(len(z)); rng.IntN(3) == 0 { // two of a size, sometimes far above all others
			z[k] += 2 * scale * float64(rng.IntN(3))
			z[l] = z[k]
		}
		passed, class := check.Copy(z), rng.IntN(len(z))
		args := fmt.Sprintf("(%v, %d)", z, class)
		loss, grad := reference.CrossEntropy(z, class)
		gotLoss, gotGrad := learner.CrossEntropy(passed, class)
		check.Equal(t, "CrossEntropy"+args+" loss", gotLoss, loss, check.Rel(1e-9))
		check.Equal(t, "CrossEntropy"+args+" grad", gotGrad, grad, check.Tol{Rel: 1.1e-12, Abs: 1.1e-12}, check.Kept("z", passed, z))
		check.Equal(t, fmt.Sprintf("Softmax(%v)", z), learner.Softmax(passed), reference.Softmax(z), check.Rel(1.1e-12), check.Kept("z", passed, z))
	}
	z, other := check.Normal(rng, 4, 1), check.Normal(rng, 4, 1)
	check.Independent(t, "Softmax(z)", learner.Softmax, check.Args{z}, check.Args{other})
	check.Independent(t, "CrossEntropy(z, class)", learner.CrossEntropy, check.Args{z, 1}, check.Args{other, 2})
	for range 10 {
		z, beyond := check.Normal(rng, 1+rng.IntN(5), 1), rng.IntN(9)
		check.Panics(t, fmt.Sprintf("CrossEntropy(%v, %d)", z, -1-beyond), func() { learner.CrossEntropy(z, -1-beyond) })
		check.Panics(t, fmt.Sprintf("CrossEntropy(%v, %d)", z, len(z)+beyond), func() { learner.CrossEntropy(z, len(z)+beyond) })
	}
}

func TestHiddenGradientRatio(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 500 {
		z := hiddenLogit(rng, 700)
		check.Equal(t, fmt.Sprintf("GradientRatio(%v)", z), learner.GradientRatio(z), reference.GradientRatio(z), check.Rel(1.1e-12))
	}
}

func TestHiddenTrainNeuron(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		slope, name := reference.LogLossGrad, "LogLossGrad"
		if rng.IntN(2) == 0 {
			slope, name = reference.SquaredLossGrad, "SquaredLossGrad"
		}
		w, b, x, y, rate, epochs := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.Float64(), rng.Float64(), rng.IntN(21)
		if rng.IntN(5) == 0 { // nothing is left to learn
			b, y = 60+10*rng.Float64(), 1
		}
		check.Equal(t, fmt.Sprintf("TrainNeuron(%s, %v, %v, %v, %v, %v, %d)", name, w, b, x, y, rate, epochs),
			learner.TrainNeuron(slope, w, b, x, y, rate, epochs), reference.TrainNeuron(slope, w, b, x, y, rate, epochs), check.Rel(1e-9))
	}
}
