package relu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	relu "whyhow/katas/q06-relu"
)

// sample returns n digits drawn without replacement.
func sample(n int, rng *rand.Rand) digits.Set {
	all := digits.All()
	return all.Rows(rng.Perm(all.Len())[:n])
}

func heStd(in, _ int) float64 { return relu.HeStd(in) }

// One batch of 64 digits, no training: 10 hidden layers of 32, a softmax over 10, biases 0, mean cross-entropy. δ is
// ∂L/∂z: weight gradients would also carry the growth of h, which hides the loss.
func TestWhyVanishing(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	const hidden, width = 10, 32
	widths := []int{64}
	for range hidden {
		widths = append(widths, width)
	}
	widths = append(widths, 10)
	batch := sample(64, rng)

	var layers, ceiling []float64
	for l := range hidden {
		layers = append(layers, float64(l+1))
		ceiling = append(ceiling, math.Pow(relu.SigmoidSlope(0), float64(hidden-1-l)))
	}
	share := math.Pow(relu.SigmoidSlope(0), hidden)
	t.Logf("σ′(0) = %v: over ten layers the slopes of sigmoid multiply to %.3g at best, those of active ReLUs to %v",
		relu.SigmoidSlope(0), share, math.Pow(relu.ReLUBackward([]float64{1}, []float64{1})[0], hidden))
	check.Equal(t, "SigmoidSlope(0)¹⁰", share, 9.5367431640625e-7, check.Rel(1e-9), check.Why("the slope of sigmoid is ¼ at most"))

	var series []figure.Series
	decades := map[string]float64{}
	for _, s := range []struct {
		name string
		act  activation
		std  func(in, out int) float64
	}{
		{"ReLU, He", rectifier, heStd},
		{"tanh, Glorot", hyperbolic, relu.GlorotStd},
		{"ReLU, Glorot", rectifier, relu.GlorotStd},
		{"sigmoid, Glorot", sigmoid, relu.GlorotStd},
	} {
		p := newNet(widths, s.act, s.std, rng).run(batch.X, batch.Labels)
		last := mat.Norm(p.delta[hidden-1], 2)
		var norms []float64
		for l := range hidden {
			norms = append(norms, mat.Norm(p.delta[l], 2)/last)
		}
		decades[s.name] = math.Log10(norms[0])
		t.Logf("%s: log10 ‖δ₁‖/‖δ₁₀‖ = %.2f", s.name, decades[s.name])
		series = append(series, figure.Series{Name: s.name, X: layers, Y: norms, Mark: figure.LinePoints})
	}
	series = append(series, figure.Series{Name: "¼ a layer, the ceiling of σ′", X: layers, Y: ceiling, Mark: figure.Dashed})
	figure.Save(t, "vanishing", figure.Figure{
		Title:   "Ten sigmoid layers lose the gradient; He's weights keep it in ReLU, Glorot's in tanh layers",
		Caption: "One batch of 64 digits before any training, 10 hidden layers of 32. Read from right to left: the gradient enters at layer 10.",
		Panels: []figure.Panel{{
			X:      figure.Axis{Label: "hidden layer"},
			Y:      figure.Axis{Label: "‖δ‖ relative to layer 10", Log: true},
			Series: series,
		}},
	})

	// Over 200 seeds: sigmoid [−5.88, −5.36], ReLU with Glorot's weights [−1.71, −1.00], with He's [−.42, .47]. Tanh,
	// [−.72, −.09], overlaps with the last: nothing is claimed of their order.
	require.Less(t, decades["sigmoid, Glorot"], -4.0, "sigmoid: got log10 ‖δ₁‖/‖δ₁₀‖ that does not vanish")
	require.Greater(t, decades["ReLU, Glorot"], -4.0, "ReLU with Glorot's weights: got a gradient as small as sigmoid's")
	require.Greater(t, decades["ReLU, He"], -0.7, "ReLU with He's weights: got a gradient that vanishes")
	require.Less(t, decades["ReLU, Glorot"], -0.7, "ReLU with Glorot's weights: got a gradient that does not lose √2 a layer")
	require.Greater(t, decades["tanh, Glorot"], decades["ReLU, Glorot"], "tanh with Glorot's weights: got a gradient that loses more than ReLU's")
}

// One random input through 50 ReLU layers of 128.
func TestWhyInitialWeights(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	const layers, width = 50, 128
	glorot := relu.SecondMoments(layers, width, relu.GlorotStd(width, width), rng)
	he := relu.SecondMoments(layers, width, relu.HeStd(width), rng)
	require.Len(t, glorot, layers)
	require.Len(t, he, layers)
	var x, theory []float64
	for l := range layers {
		x = append(x, float64(l+1))
		theory = append(theory, math.Pow(2, -float64(l+1)))
	}
	figure.Save(t, "second-moments", figure.Figure{
		Title:   "Weights of variance 1/n halve the signal in every ReLU layer, 2/n keep it",
		Caption: "Width 128, one random input. Every ReLU halves the mean of h²; He's weights double it again.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "layer"},
			Y: figure.Axis{Label: "mean of h²", Log: true},
			Series: []figure.Series{
				{Name: "He: variance 2/n", X: x, Y: he},
				{Name: "Glorot: variance 1/n", X: x, Y: glorot},
				{Name: "½ a layer", X: x, Y: theory, Mark: figure.Dashed},
			},
		}},
	})
	lostG, lostH := math.Log10(glorot[layers-1]), math.Log10(he[layers-1])
	t.Logf("log10 of the mean of h² after %d layers: variance 1/n %.2f (½ a layer: %.2f), variance 2/n %.2f", layers, lostG, math.Log10(theory[layers-1]), lostH)
	// Over 200 seeds: variance 1/n [−17.27, −13.72], variance 2/n [−2.21, .98].
	require.Less(t, lostG, -7.0, "variance 1/n: got a signal that does not vanish")
	require.Greater(t, lostH, -7.0, "variance 2/n: got a signal that vanishes")
}

// A unit that is dead learns nothing, and a rate that is too high kills units.
func TestWhyDead(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	set := sample(300, rng)

	// 64-16-10, 300 digits, He's weights. Biases kill the first four units and let every other fire on some images.
	const width, dead = 16, 4
	n := newNet([]int{64, width, 10}, rectifier, heStd, rng)
	var z mat.Dense
	z.Mul(set.X, n.w[0])
	for j := range width {
		column := mat.Col(nil, j, &z)
		if j < dead {
			n.b[0][j] = -floats.Max(column) - 0.1
		} else {
			n.b[0][j] = -floats.Sum(column) / float64(len(column))
		}
	}
	var bars []figure.Bar
	for _, a := range []struct {
		name string
		act  activation
	}{{"ReLU", rectifier}, {"leaky ReLU, slope 0.01", leaky(0.01)}} {
		n.act = a.act
		p := n.run(set.X, set.Labels)
		check.Equal(t, "DeadFraction of 4 dead units of 16", relu.DeadFraction(p.z[0]), 0.25, check.Exact)
		dw := p.gradients()
		incoming, outgoing := make([]float64, width), make([]float64, width)
		for j := range width {
			incoming[j] = mat.Norm(dw[0].ColView(j), 2)
			outgoing[j] = mat.Norm(dw[1].RowView(j), 2)
			if j < 2*dead {
				bars = append(bars, figure.Bar{Label: fmt.Sprint(j + 1), Value: incoming[j], Group: a.name})
			}
		}
		t.Logf("%s: gradients of the weights into units 1–4 (dead) %.2g, 5–8 %.2g; out of units 1–4 %.2g, 5–8 %.2g",
			a.name, incoming[:4], incoming[4:8], outgoing[:4], outgoing[4:8])
		for j := range width {
			alive := j >= dead || a.name != "ReLU"
			require.Equal(t, alive, incoming[j] > 0, "%s, unit %d: got an incoming gradient of %v", a.name, j+1, incoming[j])
			require.Equal(t, alive, outgoing[j] > 0, "%s, unit %d: got an outgoing gradient of %v", a.name, j+1, outgoing[j])
		}
	}

	// 64-32-10, 300 digits, He's weights, batch 30, 5 epochs, one net for each rate.
	rates := []float64{0.1, 0.3, 1, 3}
	fractions := make([]float64, len(rates))
	var killed []figure.Bar
	for i, rate := range rates {
		n := newNet([]int{64, 32, 10}, rectifier, heStd, rng)
		for range 5 {
			for _, rows := range digits.Batches(set.Len(), 30, rng) {
				s := set.Rows(rows)
				n.step(n.run(s.X, s.Labels), rate)
			}
		}
		fractions[i] = relu.DeadFraction(n.run(set.X, set.Labels).z[0])
		killed = append(killed, figure.Bar{Label: fmt.Sprint(rate), Value: fractions[i]})
		t.Logf("rate %v: %.0f of 32 units dead after 5 epochs", rate, 32*fractions[i])
	}
	figure.Save(t, "dead-units", figure.Figure{
		Title:   "A dead ReLU unit gets no gradient, a leaky one does; too large a rate kills units",
		Caption: "Left: 300 digits, 16 hidden units, the first four of them dead. Right: 32 hidden units, 5 epochs of SGD in batches of 30.",
		Panels: []figure.Panel{
			{
				Title: "gradient of the weights into a unit",
				X:     figure.Axis{Label: "unit (1–4 are dead)"},
				Y:     figure.Axis{Label: "norm of the gradient"},
				Bars:  bars,
			},
			{
				Title: "units dead after training",
				X:     figure.Axis{Label: "learning rate"},
				Y:     figure.Axis{Label: "fraction of units", Min: new(0.0), Max: new(1.1)},
				Bars:  killed,
			},
		},
	})
	// Over 200 seeds: rate 0.1 [0, .16], 0.3 [0, .25], 1 [.12, .78], 3 [.91, 1].
	require.Less(t, fractions[0], 0.5, "rate 0.1: got too many dead units")
	require.Greater(t, fractions[3], 0.5, "rate 3: got too few dead units")
}
