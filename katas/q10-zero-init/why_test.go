package zeroinit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	zeroinit "whyhow/katas/q10-zero-init"
)

// The experiments: 300 digits as three classes (0, 1, any other), 64 pixels, 16 hidden ReLU units, the whole set a batch.
const (
	pixels, hidden, classes = 64, 16, 3
	images                  = 300
)

// The ranges in the comments are min…max over 40 seeds: KATA_SEED=1…40.

func TestWhyZero(t *testing.T) {
	defer check.Rescue(t)
	const rate, steps = 0.5, 100
	x, labels := threeClasses(check.Rand(t))
	entropy := zeroinit.PriorLoss(labels, classes)

	n := zeroinit.Zero(pixels, hidden, classes)
	losses := train(n, x, labels, rate, steps)
	_, probs := n.Forward(x)
	shares, guess := frequencies(labels), mat.Row(nil, 0, probs)
	t.Logf("loss %.6f at the start, %.6f after %d steps; entropy of the labels %.6f", losses[0], losses[steps], steps, entropy)
	t.Logf("shares of the labels %.4f, what the net answers %.4f", shares, guess)

	check.Equal(t, "loss before the first step", losses[0], math.Log(classes), check.Rel(1e-9),
		check.Why("all logits are 0, so every class has probability 1/3"))
	check.Equal(t, "after 100 steps from zero, W1", n.W1, mat.NewDense(pixels, hidden, nil), check.Exact,
		check.Why("its gradient passes through W2 and through ReLU at 0: both are 0"))
	check.Equal(t, "after 100 steps from zero, B1", n.B1, make([]float64, hidden), check.Exact,
		check.Why("its gradient passes through W2 and through ReLU at 0: both are 0"))
	check.Equal(t, "after 100 steps from zero, W2", n.W2, mat.NewDense(hidden, classes, nil), check.Exact,
		check.Why("its gradient is hidden times δ, and hidden is 0"))
	check.Equal(t, "loss after 100 steps from zero", losses[steps], entropy, check.Abs(2e-5), // above it by 0…4.3e-6
		check.Why("B2 alone learns, and the best it can do is the label frequencies: their entropy is the loss"))
	check.Equal(t, "probs of every image after 100 steps from zero", guess, shares, check.Abs(5e-3), // farthest 0…6e-4
		check.Why("B2 learns the label frequencies"))

	figure.Save(t, "zero", figure.Figure{
		Title: "From zero the net learns how often each class occurs, and nothing else",
		Caption: fmt.Sprintf("%d digits as three classes, 64-16-3 ReLU net, all weights and biases 0, full batch, rate %g. "+
			"W1, B1 and W2 are exactly 0 after %d steps.", images, rate, steps),
		Panels: []figure.Panel{
			{
				Title: "Loss", X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "mean cross-entropy (nats)", Min: new(0.0)},
				Series: []figure.Series{
					curve("started at zero", losses),
					level("entropy of the labels", entropy, steps),
				},
			},
			{
				Title: "After training", Y: figure.Axis{Label: "share", Min: new(0.0)},
				Bars: []figure.Bar{
					{Label: "0", Value: shares[0], Group: "labels"},
					{Label: "0", Value: guess[0], Group: "net, for every image"},
					{Label: "1", Value: shares[1], Group: "labels"},
					{Label: "1", Value: guess[1], Group: "net, for every image"},
					{Label: "other", Value: shares[2], Group: "labels"},
					{Label: "other", Value: guess[2], Group: "net, for every image"},
				},
			},
		},
	})
}

func TestWhyConstant(t *testing.T) {
	defer check.Rescue(t)
	const rate, steps, c, tol = 0.1, 100, 0.1, 1e-6
	rng := check.Rand(t)
	x, labels := threeClasses(rng)
	entropy := zeroinit.PriorLoss(labels, classes)

	constant, he, zero := zeroinit.Constant(pixels, hidden, classes, c), zeroinit.He(pixels, hidden, classes, rng), zeroinit.Zero(pixels, hidden, classes)
	_, first := constant.Backward(x, labels)
	constantLosses := train(constant, x, labels, rate, steps)
	heLosses, zeroLosses := train(he, x, labels, rate, steps), train(zero, x, labels, rate, steps)

	moved := mat.NewDense(pixels, hidden, nil)
	moved.Sub(constant.W1, zeroinit.Constant(pixels, hidden, classes, c).W1)
	farthest := math.Max(mat.Max(moved), -mat.Min(moved))
	units, heUnits := zeroinit.DistinctUnits(constant, tol), zeroinit.DistinctUnits(he, tol)
	t.Logf("constant %g: a weight of W1 moved by %.4f, and %d of %d hidden units are different", c, farthest, units, hidden)
	t.Logf("He: %d of %d hidden units are different", heUnits, hidden)
	t.Logf("after %d steps the loss minus the entropy: zero %+.4f, constant %+.4f, He %+.4f",
		steps, zeroLosses[steps]-entropy, constantLosses[steps]-entropy, heLosses[steps]-entropy)

	check.Equal(t, "gradient of W1 at the first step from constant weights", first.W1, mat.NewDense(pixels, hidden, nil), check.Abs(1e-12),
		check.Why("it passes through c·Σ(p − y) over the classes, and Σp = Σy = 1"))
	require.Greater(t, farthest, 0.005, "the weights of W1 move from step 2 on") // 0.025…0.034
	check.Equal(t, "DistinctUnits after 100 steps from a constant", units, 1, check.Exact,
		check.Why("units that start equal get equal gradients, and stay equal"))
	check.Equal(t, "DistinctUnits after 100 steps from He's weights", heUnits, hidden, check.Exact,
		check.Why("random weights make every unit different"))
	require.Less(t, heLosses[steps], entropy-0.1, "He's net learns more than the frequencies") // entropy − (0.24…0.48)

	negative := zeroinit.Constant(pixels, hidden, classes, -c)
	negativeLosses := train(negative, x, labels, rate, steps)
	t.Logf("constant %g: after %d steps the loss minus the entropy is %+.4f, as from zero", -c, steps, negativeLosses[steps]-entropy)
	check.Equal(t, "losses from a negative constant", negativeLosses, zeroLosses, check.Rel(1e-9),
		check.Why("no pixel is negative, so every hidden unit is below 0 on every image, and only B2 learns"))
	check.Equal(t, "after 100 steps from a negative constant, W1", negative.W1, zeroinit.Constant(pixels, hidden, classes, -c).W1, check.Exact,
		check.Why("every hidden unit is off, so no gradient reaches W1"))

	figure.Save(t, "loss", figure.Figure{
		Title: "Sixteen equal units act as one; sixteen random ones learn the digits",
		Caption: fmt.Sprintf("%d digits as three classes, 64-16-3 ReLU net, full batch, rate %g. Below the dashed line the net uses the image. "+
			"Different hidden units after %d steps: %d of %d from the constant %g, %d from He's weights.",
			images, rate, steps, units, hidden, c, heUnits),
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "mean cross-entropy (nats)", Min: new(0.0)},
			Series: []figure.Series{
				curve("zero", zeroLosses), curve("constant 0.1", constantLosses), curve("He", heLosses),
				level("entropy of the labels", entropy, steps),
			},
		}},
	})
}

func TestWhyOneLayer(t *testing.T) {
	defer check.Rescue(t)
	const rate, steps = 0.5, 60
	rng := check.Rand(t)
	x, labels := threeClasses(rng)
	entropy := zeroinit.PriorLoss(labels, classes)

	he, zeroOut, zeroIn := zeroinit.He(pixels, hidden, classes, rng), zeroinit.He(pixels, hidden, classes, rng), zeroinit.He(pixels, hidden, classes, rng)
	zeroOut.W2.Zero()
	zeroIn.W1.Zero()
	heLosses, outLosses, inLosses := train(he, x, labels, rate, steps), train(zeroOut, x, labels, rate, steps), train(zeroIn, x, labels, rate, steps)
	t.Logf("after %d steps the loss minus the entropy: He %+.4f, W2 zero %+.4f, W1 zero %+.6f",
		steps, heLosses[steps]-entropy, outLosses[steps]-entropy, inLosses[steps]-entropy)

	const threshold = -0.2
	require.Less(t, heLosses[steps]-entropy, threshold, "He's net learns")                                      // −0.66…−0.38
	require.Less(t, outLosses[steps]-entropy, threshold, "with W2 zero and W1 random the net learns")           // −0.62…−0.34
	require.Greater(t, inLosses[steps]-entropy, threshold, "with W1 zero and W2 random the net does not learn") // 0…8.2e-5
	check.Equal(t, "after 60 steps from W1 zero and W2 random, W1", zeroIn.W1, mat.NewDense(pixels, hidden, nil), check.Exact,
		check.Why("every hidden unit is at exactly 0, where the slope of ReLU is 0, so no gradient reaches W1"))

	figure.Save(t, "one-layer", figure.Figure{
		Title: "One layer at zero: the output layer may start there, the hidden layer may not",
		Caption: fmt.Sprintf("%d digits as three classes, 64-16-3 ReLU net, full batch, rate %g. The other layer has He's random weights.",
			images, rate),
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "mean cross-entropy (nats)", Min: new(0.0)},
			Series: []figure.Series{
				curve("W1 zero, W2 random", inLosses), curve("W1 random, W2 zero", outLosses), curve("both random", heLosses),
				level("entropy of the labels", entropy, steps),
			},
		}},
	})
}

// threeClasses returns the images and their classes: 0 for the digit 0, 1 for the digit 1, 2 for any other.
func threeClasses(rng *rand.Rand) (x *mat.Dense, labels []int) {
	set, _ := digits.Split(images, rng)
	for _, digit := range set.Labels {
		labels = append(labels, min(digit, 2))
	}
	return set.X, labels
}

// train makes steps of full-batch gradient descent with the learner's functions. It returns the loss before each step and after the last.
func train(n *zeroinit.Net, x *mat.Dense, labels []int, rate float64, steps int) []float64 {
	var losses []float64
	for range steps {
		loss, grad := n.Backward(x, labels)
		losses = append(losses, loss)
		n.Step(grad, rate)
	}
	loss, _ := n.Backward(x, labels)
	return append(losses, loss)
}

func frequencies(labels []int) []float64 {
	shares := make([]float64, classes)
	for _, k := range labels {
		shares[k] += 1 / float64(len(labels))
	}
	return shares
}

func curve(name string, losses []float64) figure.Series {
	s := figure.Series{Name: name, Y: losses}
	for step := range losses {
		s.X = append(s.X, float64(step))
	}
	return s
}

func level(name string, y float64, steps int) figure.Series {
	return figure.Series{Name: name, Mark: figure.Dashed, X: []float64{0, float64(steps)}, Y: []float64{y, y}}
}
