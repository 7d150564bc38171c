package crossentropy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	crossentropy "whyhow/katas/q01-cross-entropy"
)

func TestWhyNeuron(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct{ z, log, squared, ratio float64 }{ // computed with 30 digits
		{-6, -0.997527, -0.00246041, 405.429},
		{-10, -0.9999546, -4.53937e-05, 22028.5},
	} {
		log, squared, ratio := crossentropy.LogLossGrad(c.z, 1), crossentropy.SquaredLossGrad(c.z, 1), crossentropy.GradientRatio(c.z)
		t.Logf("z = %g, y = 1: slope %.6f with cross-entropy, %.6g with squared error, ratio %.1f", c.z, log, squared, ratio)
		check.Equal(t, fmt.Sprintf("LogLossGrad(%g, 1)", c.z), log, c.log, check.Rel(1e-5))
		check.Equal(t, fmt.Sprintf("SquaredLossGrad(%g, 1)", c.z), squared, c.squared, check.Rel(1e-5))
		check.Equal(t, fmt.Sprintf("GradientRatio(%g)", c.z), ratio, c.ratio, check.Rel(1e-5))
	}

	const x, y, rate, epochs = 1, 0, 0.15, 300
	losses := []struct {
		name  string
		slope func(z, y float64) float64
	}{
		{"squared error", crossentropy.SquaredLossGrad},
		{"cross-entropy", crossentropy.LogLossGrad},
	}
	slopes := figure.Panel{
		Title: "What the loss tells the logit",
		X:     figure.Axis{Label: "logit z: the larger, the more wrong"}, Y: figure.Axis{Label: "slope of the loss", Log: true},
	}
	for _, loss := range losses {
		s := figure.Series{Name: loss.name}
		for z := -4.0; z <= 10; z += 0.1 {
			s.X, s.Y = append(s.X, z), append(s.Y, loss.slope(z, y))
		}
		slopes.Series = append(slopes.Series, s)
	}
	panels := []figure.Panel{slopes}
	for _, start := range []struct {
		w, b float64
		ends [2]float64 // computed with PyTorch
	}{
		{0.6, 0.9, [2]float64{0.0940, 0.0116}},
		{2, 2, [2]float64{0.2028, 0.0120}},
	} {
		outputs := figure.Panel{
			Title: fmt.Sprintf("From w = %g, b = %g", start.w, start.b),
			X:     figure.Axis{Label: "epoch"}, Y: figure.Axis{Label: "output a, wanted 0", Min: new(0.0), Max: new(1.0)},
		}
		for i, loss := range losses {
			a := crossentropy.TrainNeuron(loss.slope, start.w, start.b, x, y, rate, epochs)
			name := fmt.Sprintf("%s from w = %g, b = %g", loss.name, start.w, start.b)
			half := slices.IndexFunc(a, func(a float64) bool { return a < 0.5 }) + 1
			t.Logf("%s: below 0.5 after %d epochs, %.4f after %d", name, half, a[len(a)-1], epochs)
			check.Equal(t, name+": output after 300 epochs", a[len(a)-1], start.ends[i], check.Abs(5e-5))

			s := figure.Series{Name: loss.name, Y: append([]float64{crossentropy.Sigmoid(start.w*x + start.b)}, a...)}
			for epoch := range s.Y {
				s.X = append(s.X, float64(epoch))
			}
			outputs.Series = append(outputs.Series, s)
		}
		panels = append(panels, outputs)
	}
	figure.Save(t, "neuron", figure.Figure{
		Title: "A sigmoid neuron that is badly wrong learns slowly from squared error",
		Caption: fmt.Sprintf("One neuron a = σ(wx + b), x = 1, target 0, rate %g for both losses. With squared error the slope vanishes where the answer is most wrong; "+
			"with cross-entropy it stays near 1.", rate),
		Panels: panels,
	})
}

func TestWhyDigits(t *testing.T) {
	defer check.Rescue(t)
	const images, epochs = 1000, 3
	rng := check.Rand(t)
	set, val := digits.Split(images, rng)
	starts := []struct {
		name    string
		network network
	}{
		{"weights N(0, 1)", newNetwork(func(int) float64 { return 1 }, 1, rng)},
		{"weights N(0, 1/n)", newNetwork(func(fanIn int) float64 { return 1 / math.Sqrt(float64(fanIn)) }, 0, rng)},
	}
	var squared, log [2][2]float64 // by start and rate
	var bars []figure.Bar
	for i, start := range starts {
		for k, rate := range []float64{0.5, 3} {
			seed := rng.Uint64()
			shuffle := func() *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
			squared[i][k] = train(start.network, crossentropy.SquaredLossGrad, rate, epochs, set, val, shuffle())
			log[i][k] = train(start.network, crossentropy.LogLossGrad, rate, epochs, set, val, shuffle())
			label := fmt.Sprintf("%s, rate %g", start.name, rate)
			t.Logf("%s: accuracy %.3f with squared error, %.3f with cross-entropy", label, squared[i][k], log[i][k])
			bars = append(bars,
				figure.Bar{Label: label, Group: "squared error", Value: squared[i][k]},
				figure.Bar{Label: label, Group: "cross-entropy", Value: log[i][k]})
		}
	}
	// Over 200 seeds squared error and cross-entropy reach, from N(0, 1), 0.06…0.76 and 0.83…0.94 at rate 0.5, 0.57…0.92 and 0.66…0.96 at
	// rate 3; from N(0, 1/n), 0.20…0.71 and 0.79…0.95 at rate 0.5, 0.82…0.95 and 0.79…0.97 at rate 3. Within a seed they part by 0.17…0.85,
	// −0.24…0.34, 0.18…0.72, −0.11…0.10.
	require.Greater(t, log[0][0]-squared[0][0], 0.1, "from saturated outputs at a small rate cross-entropy learns faster")
	require.Greater(t, log[1][0]-squared[1][0], 0.1, "at a small rate it does so from a better start too")
	require.Less(t, squared[1][0], 0.76, "a better start alone does not make squared error fast")
	require.Greater(t, squared[1][1], 0.76, "with a better start and a larger rate squared error learns too")

	figure.Save(t, "digits", figure.Figure{
		Title: "Squared error learns slowly behind a sigmoid; a better start and a larger rate nearly close the gap",
		Caption: fmt.Sprintf("%d digits, 64-30-10 sigmoid net, batches of 10, %d epochs; accuracy on 500 others. "+
			"With weights N(0, 1) the biases are N(0, 1) too, with N(0, 1/n) they are 0. n: inputs of a unit.", images, epochs),
		Panels: []figure.Panel{{Y: figure.Axis{Label: "accuracy", Min: new(0.0), Max: new(1.0)}, Bars: bars}},
	})
}

func TestWhyNotConvex(t *testing.T) {
	defer check.Rescue(t)
	a, b := crossentropy.NotConvex()
	a, b = min(a, b), max(a, b)
	mid := (a + b) / 2
	t.Logf("a = %g, b = %g, midpoint %g", a, b, mid)
	above := func(loss func(z, y float64) float64) float64 { return loss(mid, 1) - (loss(a, 1)+loss(b, 1))/2 }
	squared, log := above(crossentropy.SquaredLoss), above(crossentropy.LogLoss)
	t.Logf("value at the midpoint minus the mean of the ends: squared error %+.6f, cross-entropy %+.6f", squared, log)

	require.False(t, math.IsNaN(mid) || math.IsInf(mid, 0), "a and b are finite")
	if squared < 1e-6 {
		t.Errorf("SquaredLoss(%g, 1) exceeds the mean of its values at %g and %g by %.3g, want at least 1e-6%s", mid, a, b, squared, advice(a))
	}
	if log > 1e-12 {
		t.Errorf("LogLoss(%g, 1) exceeds the mean of its values at %g and %g by %.3g, want no more than rounding: it is convex", mid, a, b, log)
	}
	if t.Failed() {
		return
	}
	panel := func(title string, loss func(z, y float64) float64) figure.Panel {
		p := figure.Panel{
			Title: title, X: figure.Axis{Label: "logit z"}, Y: figure.Axis{Label: "loss, target 1"},
			Series: []figure.Series{
				{Name: "loss"},
				{Name: "chord from a to b", Mark: figure.Dashed, X: []float64{a, b}, Y: []float64{loss(a, 1), loss(b, 1)}},
				{Name: "loss at the midpoint", Mark: figure.Points, X: []float64{mid}, Y: []float64{loss(mid, 1)}},
			},
		}
		margin := 0.2 * (b - a)
		for i := range 201 {
			z := a - margin + (b-a+2*margin)*float64(i)/200
			p.Series[0].X, p.Series[0].Y = append(p.Series[0].X, z), append(p.Series[0].Y, loss(z, 1))
		}
		return p
	}
	figure.Save(t, "convexity", figure.Figure{
		Title:   "Squared error of a sigmoid rises above its chord: it is not convex in the logit",
		Caption: "A convex function never lies above a chord. Your a and b are the ends of the chord.",
		Panels:  []figure.Panel{panel("Squared error", crossentropy.SquaredLoss), panel("Cross-entropy", crossentropy.LogLoss)},
	})
}

// advice says where to look for a better witness.
func advice(a float64) string {
	if a > -math.Ln2 { // where the second derivative of ½(1−σ)² changes sign: σ = 1/3
		return "; both points lie where the loss is convex: take one where the neuron is badly wrong"
	}
	return "; take both points where the neuron is wrong, a few units apart"
}
