package zeroinit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	zeroinit "whyhow/katas/q10-zero-init"
)

func TestPriorLoss(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct {
		name    string
		labels  []int
		classes int
		want    float64 // by hand
		why     string
	}{
		{"three to one", []int{1, 0, 1, 1}, 2, 2*math.Ln2 - 0.75*math.Log(3), "−¾ ln ¾ − ¼ ln ¼"},
		{"three unequal shares", []int{2, 0, 0, 1, 0, 2}, 3, math.Ln2/2 + math.Log(3)/3 + math.Log(6)/6, "frequencies 1/2, 1/6, 1/3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			check.Equal(t, "PriorLoss(labels, classes)", zeroinit.PriorLoss(c.labels, c.classes), c.want, check.Rel(1e-12),
				check.Why(c.why), check.With("labels", c.labels), check.With("classes", c.classes),
				check.Mistake(c.want/math.Ln2, "you took the logarithm to base 2: that is in bits; nats need the natural logarithm"),
				check.Mistake(-c.want, "you left the minus sign out: an entropy is never negative"),
				check.Mistake(c.want*float64(len(c.labels)), "you summed over the labels: the loss is a mean over them"),
				check.Mistake(c.want/float64(c.classes), "you took the mean over the classes: it is their sum"),
				check.Mistake(math.Log(float64(c.classes)), "you returned ln(classes): that is the entropy of equal frequencies only"))
		})
	}
	t.Run("equal shares", func(t *testing.T) {
		defer check.Rescue(t)
		prior := func(labels []int, classes int) (call string, loss float64) {
			return fmt.Sprintf("PriorLoss(%v, %d)", labels, classes), zeroinit.PriorLoss(labels, classes)
		}
		got, want, zeroTimesInfinity := map[string]float64{}, map[string]float64{}, map[string]float64{}
		for _, c := range []struct {
			labels  []int
			classes int
			shares  float64 // so many classes have the same share, the others none
		}{{[]int{3, 1, 2, 0}, 4, 4}, {[]int{2, 0, 0, 2}, 4, 2}, {[]int{1, 1, 1}, 3, 1}, {[]int{0}, 1, 1}} {
			call, loss := prior(c.labels, c.classes)
			got[call], want[call], zeroTimesInfinity[call] = loss, math.Log(c.shares), math.Log(c.shares)
			if int(c.shares) < c.classes {
				zeroTimesInfinity[call] = math.NaN()
			}
		}
		check.Equal(t, "the entropies", got, want, check.Tol{Rel: 1e-12, Abs: 1e-15},
			check.Why("ln m where m classes have the same share; a class that does not occur adds nothing: 0·ln 0 = 0"),
			check.Mistake(zeroTimesInfinity, "you computed 0·ln 0 = 0·(−∞) = NaN: leave out the classes that do not occur"))
	})
	t.Run("bad labels", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "PriorLoss([], 3)", func() { zeroinit.PriorLoss(nil, 3) })
		check.Panics(t, "PriorLoss([0 3], 3)", func() { zeroinit.PriorLoss([]int{0, 3}, 3) })
		check.Panics(t, "PriorLoss([0 -1], 3)", func() { zeroinit.PriorLoss([]int{0, -1}, 3) })
		check.Panics(t, "PriorLoss([0], 0)", func() { zeroinit.PriorLoss([]int{0}, 0) })
	})
	check.Independent(t, "PriorLoss(labels, 4)", zeroinit.PriorLoss, check.Args{[]int{2, 0, 1, 1}, 4}, check.Args{[]int{3, 3, 1, 3}, 4})
}

func TestInit(t *testing.T) {
	defer check.Rescue(t)
	const in, hidden, out = 5, 7, 3
	constant := func(rows, cols int, c float64) *mat.Dense {
		return drawn(rows, cols, func() float64 { return c })
	}
	t.Run("Zero", func(t *testing.T) {
		defer check.Rescue(t)
		n := zeroinit.Zero(in, hidden, out)
		check.Equal(t, "Zero(5, 7, 3).W1", n.W1, mat.NewDense(in, hidden, nil), check.Exact)
		check.Equal(t, "Zero(5, 7, 3).B1", n.B1, make([]float64, hidden), check.Exact)
		check.Equal(t, "Zero(5, 7, 3).W2", n.W2, mat.NewDense(hidden, out, nil), check.Exact)
		check.Equal(t, "Zero(5, 7, 3).B2", n.B2, make([]float64, out), check.Exact)
	})
	for _, c := range []float64{0.3, -0.4} {
		in, hidden, out := in, hidden, out
		if c < 0 {
			in, hidden, out = 4, 4, 4
		}
		call := fmt.Sprintf("Constant(%d, %d, %d, %v)", in, hidden, out, c)
		t.Run(call, func(t *testing.T) {
			defer check.Rescue(t)
			n := zeroinit.Constant(in, hidden, out, c)
			check.Equal(t, call+".W1", n.W1, constant(in, hidden, c), check.Exact)
			check.Equal(t, call+".W2", n.W2, constant(hidden, out, c), check.Exact)
			for _, b := range []struct {
				name string
				got  []float64
				want int
			}{{"B1", n.B1, hidden}, {"B2", n.B2, out}} {
				check.Equal(t, call+"."+b.name, b.got, make([]float64, b.want), check.Exact,
					check.Mistake(constant(1, b.want, c).RawRowView(0), "you gave the biases the constant too: they start at 0"))
			}
		})
	}
	t.Run("Constant(2, 3, 1, 0)", func(t *testing.T) {
		defer check.Rescue(t)
		n := zeroinit.Constant(2, 3, 1, 0)
		check.Equal(t, "Constant(2, 3, 1, 0).W1", n.W1, mat.NewDense(2, 3, nil), check.Exact, check.Why("0 is a constant like any other"))
		check.Equal(t, "Constant(2, 3, 1, 0).W2", n.W2, mat.NewDense(3, 1, nil), check.Exact)
	})
	t.Run("He", func(t *testing.T) {
		defer check.Rescue(t)
		seed1, seed2 := check.Rand(t).Uint64(), uint64(10)
		generator := func() *rand.Rand { return rand.New(rand.NewPCG(seed1, seed2)) }
		rng := generator()
		w1, w2 := drawn(in, hidden, rng.NormFloat64), drawn(hidden, out, rng.NormFloat64)
		rng = generator()
		columns := mat.DenseCopyOf(drawn(hidden, in, rng.NormFloat64).T())
		second := drawn(hidden, out, generator().NormFloat64)

		n := zeroinit.He(in, hidden, out, generator())
		for _, w := range []struct {
			name          string
			got, draws    *mat.Dense
			fanIn, fanOut float64
			more          []check.Option
		}{
			{"W1", n.W1, w1, in, hidden, []check.Option{
				check.Mistake(scaled(math.Sqrt(2./in), columns), "you drew the weights column by column: draw them row by row"),
			}},
			{"W2", n.W2, w2, hidden, out, []check.Option{
				check.Mistake(scaled(math.Sqrt(2./in), w2), "you divided by the inputs of the net: the fan-in of W2 is the number of hidden units"),
				check.Mistake(scaled(math.Sqrt(2./hidden), second), "you drew W2 first: W1 is the first"),
			}},
		} {
			check.Equal(t, "He(5, 7, 3, rng)."+w.name, w.got, scaled(math.Sqrt(2/w.fanIn), w.draws), check.Rel(1e-12),
				append(w.more,
					check.Why("normal draws with standard deviation √(2/fan-in)"),
					check.Mistake(scaled(2/w.fanIn, w.draws), "you left the root out: 2/fan-in is the variance, its root is the standard deviation"),
					check.Mistake(scaled(math.Sqrt(1/w.fanIn), w.draws), "you used the variance 1/fan-in: ReLU zeroes half of its inputs, so He doubles it"),
					check.Mistake(scaled(math.Sqrt(2/w.fanOut), w.draws), "you divided by the fan-out: the fan-in is the number of rows of the matrix"),
					check.Mistake(scaled(math.Sqrt(2/(w.fanIn+w.fanOut)), w.draws), "you used Glorot's variance, 2/(fan-in + fan-out): He's counts the fan-in alone"),
					check.Mistake(w.draws, "you did not scale the draws: the standard deviation is √(2/fan-in)"))...)
		}
		check.Equal(t, "He(5, 7, 3, rng).B1", n.B1, make([]float64, hidden), check.Exact)
		check.Equal(t, "He(5, 7, 3, rng).B2", n.B2, make([]float64, out), check.Exact)
	})
	t.Run("He of one input and two hidden units", func(t *testing.T) {
		defer check.Rescue(t)
		seed := check.Rand(t).Uint64()
		rng := rand.New(rand.NewPCG(seed, 1))
		w1, w2 := drawn(1, 2, rng.NormFloat64), drawn(2, 1, rng.NormFloat64)
		n := zeroinit.He(1, 2, 1, rand.New(rand.NewPCG(seed, 1)))
		check.Equal(t, "He(1, 2, 1, rng).W1", n.W1, scaled(math.Sqrt2, w1), check.Rel(1e-12), check.Why("a unit with one input: the standard deviation is √2"))
		check.Equal(t, "He(1, 2, 1, rng).W2", n.W2, w2, check.Rel(1e-12), check.Why("a unit with two inputs: the standard deviation is 1"))
	})
	check.Independent(t, "Zero(in, hidden, out)", zeroinit.Zero, check.Args{2, 3, 4}, check.Args{3, 4, 5})
	check.Independent(t, "Constant(in, hidden, out, c)", zeroinit.Constant, check.Args{2, 3, 4, 0.5}, check.Args{3, 4, 5, -0.25})
	check.Independent(t, "He(in, hidden, out, rng)", zeroinit.He, check.Args{2, 3, 4, check.Seed(1)}, check.Args{3, 4, 5, check.Seed(2)})
}

// drawnArgs returns a net of 4 inputs, 5 hidden units and 3 classes, a batch of 6 rows and its labels, and others of the same shapes.
func drawnArgs(t *testing.T) (args, others check.Args) {
	rng := check.Rand(t)
	draw := func(labels ...int) check.Args {
		n := &zeroinit.Net{
			W1: drawn(4, 5, rng.NormFloat64), B1: check.Normal(rng, 5, 1),
			W2: drawn(5, 3, rng.NormFloat64), B2: check.Normal(rng, 3, 1),
		}
		return check.Args{n, drawn(6, 4, rng.NormFloat64), labels}
	}
	return draw(0, 2, 1, 1, 0, 2), draw(1, 0, 2, 0, 1, 2)
}

// barelyOn returns a net whose one hidden unit has the output 1e-12 at the input 1.
func barelyOn() *zeroinit.Net {
	return &zeroinit.Net{W1: mat.NewDense(1, 1, []float64{1e-12}), B1: []float64{0}, W2: mat.NewDense(1, 2, []float64{1, -1}), B2: []float64{0, 0}}
}

func TestForward(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[netCase](t, "net") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, passed := c.X.Dense(), c.X.Dense()
			w1, w2, h := c.W1.Dense(), c.W2.Dense(), c.Hidden.Dense()

			hidden, probs := c.net().Forward(passed)
			check.Equal(t, "Forward(x) hidden", hidden, h, check.Rel(1e-9),
				check.Why("max(0, x·W1 + B1)"), check.Kept("x", passed, x),
				check.Mistake(affine(x, w1, c.B1.Floats()), "you left ReLU out: hidden is the layer's output, max(0, z), not z"),
				check.Mistake(relu(affine(x, w1, nil)), "you left the bias B1 out"),
				check.Mistake(affine(relu(affine(x, w1, nil)), identity(len(c.B1.Data)), c.B1.Floats()), "you added the bias B1 after ReLU: it belongs inside, max(0, x·W1 + B1)"))
			check.Equal(t, "Forward(x) probs", probs, c.Probs.Dense(), check.Rel(1e-9),
				check.Why("softmax of each row of hidden·W2 + B2"),
				check.Mistake(affine(h, w2, c.B2.Floats()), "you returned the logits: softmax turns them into probabilities"),
				check.Mistake(softmaxRows(affine(h, w2, nil)), "you left the bias B2 out"),
				check.Mistake(softmaxColumns(affine(h, w2, c.B2.Floats())), "you normalised the columns: the probabilities of one example, a row, sum to 1"),
				check.Mistake(softmaxRows(relu(affine(h, w2, c.B2.Floats()))), "you sent the logits through ReLU: only the hidden layer has one"),
				check.Mistake(sigmoids(affine(h, w2, c.B2.Floats())), "you returned sigmoids of the logits: softmax makes a row sum to 1"),
				check.Mistake(overall(affine(h, w2, c.B2.Floats())), "you divided by the sum over all rows: the probabilities of one example, a row, sum to 1"),
				check.Mistake(softmaxRows(affine(affine(x, w1, c.B1.Floats()), w2, c.B2.Floats())), "you fed the output layer z: it reads the hidden layer after ReLU"))
		})
	}
	for _, c := range check.Golden[netCase](t, "large") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			_, probs := c.net().Forward(c.X.Dense())
			check.Equal(t, "Forward(x) probs", probs, c.Probs.Dense(), check.Rel(1e-9),
				check.Why("exp(1000) overflows, but softmax does not change when one number is subtracted from all logits of a row"))
		})
	}
	t.Run("rows far apart", func(t *testing.T) {
		defer check.Rescue(t)
		n := &zeroinit.Net{W1: mat.NewDense(1, 1, []float64{1}), B1: []float64{0}, W2: mat.NewDense(1, 2, []float64{2000, 2002}), B2: []float64{-1000, -1001}}
		_, probs := n.Forward(mat.NewDense(4, 1, []float64{0.375, 0, 1, 0.375}))
		p, q := 1/(1+math.Exp(-1)), 1/(1+math.Exp(-0.25))
		rows := func(probs ...float64) *mat.Dense { // of the first of two classes
			m := mat.NewDense(4, 2, nil)
			for i, p := range probs {
				m.SetRow(i, []float64{p, 1 - p})
			}
			return m
		}
		nan := math.NaN()
		const all = "you subtracted the largest logit of all rows: in a row far below it every exponential is 0"
		check.Equal(t, "Forward(x) probs of the logits −250, −250.25 and −1000, −1001 and 1000, 1001 and −250, −250.25", probs, rows(q, p, 1-p, q), check.Rel(1e-9),
			check.Why("what is subtracted is the largest logit of the row itself"),
			check.Mistake(rows(nan, nan, 1-p, nan), all),
			check.Mistake(rows(nan, nan, 1-p, q), all), // taken anew for every row, when those before are probabilities already
			check.Mistake(rows(q, nan, 1-p, nan), "you kept the largest logit of the rows before: every row has its own"),
			check.Mistake(rows(q, nan, 1-p, q), "you let the largest logit start at 0: where all are far below, every exponential is 0"),
			check.Mistake(rows(q, nan, 0.5, q), "you cut the logits off: those above the bound become equal, and far below 0 every exponential is still 0"),
			check.Mistake(rows(q, nan, nan, q), "you took eᶻ of the logits as they are: 0/0 and ∞/∞ are NaN"))
	})
	t.Run("four of everything", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		n := &zeroinit.Net{W1: drawn(4, 4, rng.NormFloat64), B1: check.Normal(rng, 4, 1), W2: drawn(4, 4, rng.NormFloat64), B2: check.Normal(rng, 4, 1)}
		x := drawn(4, 4, rng.NormFloat64)
		wantHidden := relu(affine(x, n.W1, n.B1))
		wantProbs := softmaxRows(affine(wantHidden, n.W2, n.B2))
		hidden, probs := n.Forward(check.Copy(x))
		check.Equal(t, "Forward(x) hidden", hidden, wantHidden, check.Rel(1e-9), check.Why("where all matrices are square, no size tells rows from columns"))
		check.Equal(t, "Forward(x) probs", probs, wantProbs, check.Rel(1e-9))
	})
	t.Run("a unit that is barely on", func(t *testing.T) {
		defer check.Rescue(t)
		hidden, _ := barelyOn().Forward(mat.NewDense(1, 1, []float64{1}))
		check.Equal(t, "Forward(x) hidden where z is 1e-12", hidden, mat.NewDense(1, 1, []float64{1e-12}), check.Tol{Rel: 1e-9}, check.Why("ReLU keeps whatever is above 0"))
	})
	t.Run("wrong width", func(t *testing.T) {
		defer check.Rescue(t)
		n := check.Golden[netCase](t, "net")[0].net()
		check.Panics(t, "Forward(x) of a 2×5 matrix and a net with 4 inputs", func() { n.Forward(mat.NewDense(2, 5, nil)) })
		check.Panics(t, "Forward(x) of a 2×3 matrix and a net with 4 inputs", func() { n.Forward(mat.NewDense(2, 3, nil)) })
	})
	args, others := drawnArgs(t)
	check.Independent(t, "n.Forward(x)", (*zeroinit.Net).Forward, args[:2], others[:2])
}

func TestBackward(t *testing.T) {
	defer check.Rescue(t)
	const clipped = "you clipped the probability, or added a small number to it, before the logarithm: a net that is sure and wrong has a large loss"
	for _, c := range check.Golden[netCase](t, "net") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			rows := float64(len(c.Labels))
			n, passed := c.net(), c.X.Dense()
			loss, grad := n.Backward(passed, check.Copy(c.Labels))
			check.Equal(t, "Backward(x, labels) loss", loss, c.Loss, check.Rel(1e-9),
				check.Why("the mean over the rows of −ln p of the label"), check.Kept("x", passed, c.X.Dense()),
				check.Mistake(rows*c.Loss, "you summed over the rows: the loss is their mean"),
				check.Mistake(-c.Loss, "you left the minus sign of −ln p out"),
				check.Mistake(c.Loss/math.Ln2, "you took the logarithm to base 2: that is in bits; nats need the natural logarithm"),
				check.Mistake(c.meanLoss(func(p []float64, _ int) float64 { return -math.Log(floats.Max(p)) }), "you took the largest probability: it is that of the label that counts"),
				check.Mistake(c.meanLoss(func(p []float64, k int) float64 { return 1 - p[k] }), "you left the logarithm out"),
				check.Mistake(c.meanLoss(func(p []float64, k int) float64 {
					sum := 0.0
					for j, v := range p {
						if j == k {
							v = 1 - v
						}
						sum -= math.Log(1 - v)
					}
					return sum
				}), "you added −ln(1 − p) of the other classes, as for independent sigmoids: with softmax the label's own −ln p is all"),
				check.Mistake(c.meanLoss(func(p []float64, _ int) float64 {
					sum := 0.0
					for _, v := range p {
						sum -= math.Log(v)
					}
					return sum
				}), "you summed over all classes: only the label's −ln p counts"))
			check.Equal(t, "Backward(x, labels) left the net", n, c.net(), check.Exact, check.Why("Backward computes the gradient; Step applies it"))

			for _, p := range c.parts(grad) {
				opts := []check.Option{
					check.Why("the derivative of the mean loss by every element of " + p.name),
					check.Mistake(scale(rows, p.want), "you summed over the rows: the loss is a mean, so its gradient is divided by N"),
					check.Mistake(scale(1/rows, p.want), "you divided by N twice"),
					check.Mistake(p.noTarget, "you took p for p − y: subtract 1 from the probability of the label"),
				}
				if p.noMask != nil {
					opts = append(opts, check.Mistake(p.noMask, "you let the gradient through hidden units whose output is 0: the slope of ReLU is 0 there"))
				}
				if p.noReLU != nil {
					opts = append(opts, check.Mistake(p.noReLU, "you multiplied by z: what comes into W2 is the hidden layer after ReLU"))
				}
				if b, ok := p.want.([]float64); ok {
					opts = append(opts, check.Mistake(make([]float64, len(b)), "you left the gradient of a bias at 0: it is the sum of δ over the rows"))
				}
				check.Equal(t, "Backward(x, labels) grad."+p.name, p.got, p.want, check.Rel(1e-9), opts...)
			}
		})
	}
	silent := check.Golden[netCase](t, "silent")
	if t.Failed() {
		silent = nil // a mask that is missing altogether fails there too, and has its name already
	}
	for _, c := range silent {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			_, grad := c.net().Backward(c.X.Dense(), check.Copy(c.Labels))
			for _, p := range c.parts(grad) {
				opts := []check.Option{check.Why("every hidden unit is at exactly 0, where the slope of ReLU is taken as 0")}
				if p.noMask != nil {
					opts = append(opts, check.Mistake(p.noMask, "you took the slope of ReLU at 0 as 1: this kata, as PyTorch, takes it as 0"))
				}
				check.Equal(t, "Backward(x, labels) grad."+p.name, p.got, p.want, check.Rel(1e-9), opts...)
			}
		})
	}
	t.Run("sure and wrong", func(t *testing.T) {
		defer check.Rescue(t)
		// The logits are 250 and 0, and the label's is 0: ln p is −250, far below what a float64 next to 1 can tell, far above its smallest.
		n := &zeroinit.Net{W1: mat.NewDense(1, 1, []float64{1}), B1: []float64{0}, W2: mat.NewDense(1, 2, []float64{250, 0}), B2: []float64{0, 0}}
		loss, grad := n.Backward(mat.NewDense(1, 1, []float64{1}), []int{1})
		opts := []check.Option{check.Why("−ln p of a label with the probability e⁻²⁵⁰")}
		for k := 5; k <= 20; k++ {
			opts = append(opts, check.Mistake(float64(k)*math.Ln10, clipped))
		}
		opts = append(opts, check.Mistake(-math.Log(0x1p-52), clipped), check.Mistake(-math.Log(math.SmallestNonzeroFloat64), clipped),
			check.Mistake(math.Inf(1), "you computed ln(1 − p) or ln of a rounded 0: the probability is e⁻²⁵⁰, which a float64 holds"))
		check.Equal(t, "Backward(x, labels) loss where the logits are 250 and 0, the label is the second", loss, 250.0, check.Rel(1e-9), opts...)
		check.Equal(t, "Backward(x, labels) grad.B2 there", grad.B2, []float64{1, -1}, check.Rel(1e-9), check.Why("the gradient, p − y, stays as large as it gets"))
	})
	for _, c := range check.Golden[netCase](t, "large") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			_, grad := c.net().Backward(c.X.Dense(), check.Copy(c.Labels)) // of the loss nothing is said: −ln of a probability that is 0 as a float64
			for _, p := range c.parts(grad) {
				check.Equal(t, "Backward(x, labels) grad."+p.name, p.got, p.want, check.Rel(1e-9), check.Why("p − y is finite, so the gradient is"))
			}
		})
	}
	sound := !t.Failed() // what is wrong of every unit has its name already
	t.Run("a unit that is barely on", func(t *testing.T) {
		defer check.Rescue(t)
		_, grad := barelyOn().Backward(mat.NewDense(1, 1, []float64{1}), []int{0})
		opts := []check.Option{check.Why("above 0 the slope of ReLU is 1: p − y is −½, ½, the weights are 1, −1, the input is 1")}
		if sound {
			opts = append(opts, check.Mistake(mat.NewDense(1, 1, nil), "you took a small output for 0: every unit above 0 has the slope 1"))
		}
		check.Equal(t, "Backward(x, labels) grad.W1 where z is 1e-12", grad.W1, mat.NewDense(1, 1, []float64{-1}), check.Rel(1e-9), opts...)
	})
	for _, c := range []struct {
		name                string
		in, hidden, classes int
		labels              []int
	}{
		{"central differences", 6, 4, 3, []int{0, 2, 1, 1, 2, 2, 0, 2}},
		{"central differences, four of everything", 4, 4, 4, []int{3, 0, 2, 0}}, // no size tells rows from columns
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			rng := check.Rand(t)
			n := &zeroinit.Net{
				W1: drawn(c.in, c.hidden, rng.NormFloat64), B1: drawn(1, c.hidden, rng.NormFloat64).RawRowView(0),
				W2: drawn(c.hidden, c.classes, rng.NormFloat64), B2: drawn(1, c.classes, rng.NormFloat64).RawRowView(0),
			}
			x := drawn(len(c.labels), c.in, rng.NormFloat64)
			x.SetRow(0, make([]float64, c.in)) // what is nothing but zeros still moves the biases
			n.B1[0] = 0.5 + math.Abs(n.B1[0])
			loss := func() float64 {
				logits := affine(relu(affine(x, n.W1, n.B1)), n.W2, n.B2)
				mean := 0.0
				for i, k := range c.labels {
					mean += (floats.LogSumExp(logits.RawRowView(i)) - logits.At(i, k)) / float64(len(c.labels))
				}
				return mean
			}
			_, grad := check.Copy(n).Backward(check.Copy(x), check.Copy(c.labels))
			check.Gradient(t, "Backward(x, labels) grad.W1", grad.W1, n.W1, loss)
			check.Gradient(t, "Backward(x, labels) grad.B1", grad.B1, n.B1, loss)
			check.Gradient(t, "Backward(x, labels) grad.W2", grad.W2, n.W2, loss)
			check.Gradient(t, "Backward(x, labels) grad.B2", grad.B2, n.B2, loss)
		})
	}
	t.Run("bad labels", func(t *testing.T) {
		defer check.Rescue(t)
		c := check.Golden[netCase](t, "net")[0]
		backward := func(labels ...int) func() { return func() { c.net().Backward(c.X.Dense(), labels) } }
		check.Panics(t, "Backward of 7 rows and 6 labels", backward(2, 0, 1, 1, 0, 2))
		check.Panics(t, "Backward of 7 rows and 8 labels", backward(2, 0, 1, 1, 0, 2, 1, 2))
		check.Panics(t, "Backward with the label 3 of 3 classes", backward(2, 0, 1, 3, 0, 2, 1))
		check.Panics(t, "Backward with the label −1", backward(2, 0, 1, -1, 0, 2, 1))
		check.Panics(t, "Backward of a 2×5 matrix and a net with 4 inputs", func() { c.net().Backward(mat.NewDense(2, 5, nil), []int{0, 1}) })
		check.Panics(t, "Backward of a 2×3 matrix and a net with 4 inputs", func() { c.net().Backward(mat.NewDense(2, 3, nil), []int{0, 1}) })
	})
	args, others := drawnArgs(t)
	check.Independent(t, "n.Backward(x, labels)", (*zeroinit.Net).Backward, args, others)
}

func TestStep(t *testing.T) {
	defer check.Rescue(t)
	const rate = 0.37
	rng := check.Rand(t)
	random := func() *zeroinit.Net {
		return &zeroinit.Net{
			W1: drawn(5, 4, rng.NormFloat64), B1: drawn(1, 4, rng.NormFloat64).RawRowView(0),
			W2: drawn(4, 3, rng.NormFloat64), B2: drawn(1, 3, rng.NormFloat64).RawRowView(0),
		}
	}
	before, grad := random(), random()
	got, passed := check.Copy(before), check.Copy(grad)
	got.Step(passed, rate)
	data := func(m *mat.Dense) []float64 { return mat.DenseCopyOf(m).RawMatrix().Data }

	moved := func(w, g []float64, by float64) []float64 {
		return floats.AddScaledTo(make([]float64, len(w)), w, by, g)
	}
	for _, p := range []struct {
		name        string
		got         []float64
		before, grd []float64
	}{
		{"W1", data(got.W1), data(before.W1), data(grad.W1)},
		{"B1", got.B1, before.B1, grad.B1},
		{"W2", data(got.W2), data(before.W2), data(grad.W2)},
		{"B2", got.B2, before.B2, grad.B2},
	} {
		check.Equal(t, "after Step(grad, 0.37), "+p.name, p.got, moved(p.before, p.grd, -rate), check.Rel(1e-12),
			check.Why("every weight and bias moves by −rate·gradient"),
			check.Mistake(moved(p.before, p.grd, rate), "you added the gradient: descent subtracts it"),
			check.Mistake(moved(p.before, p.grd, -1), "you left the rate out"),
			check.Mistake(floats.ScaleTo(make([]float64, len(p.grd)), -rate, p.grd), "you put the step in the place of the weights: they move by it"),
			check.Mistake(moved(floats.ScaleTo(make([]float64, len(p.before)), 1-rate, p.before), p.grd, -rate), "you shrank the weights too: that is weight decay"),
			check.Mistake(p.before, "you did not move this part of the net: weights and biases of both layers learn"))
	}
	for _, rate := range []float64{0, -0.5, 40} { // any rate: back, and far
		n := check.Copy(before)
		n.Step(check.Copy(grad), rate)
		for _, p := range []struct {
			name           string
			got, start, by []float64
		}{{"W1", data(n.W1), data(before.W1), data(grad.W1)}, {"B1", n.B1, before.B1, grad.B1}, {"W2", data(n.W2), data(before.W2), data(grad.W2)}, {"B2", n.B2, before.B2, grad.B2}} {
			opts := []check.Option{check.Why("every weight and bias moves by −rate·gradient, whatever the rate")}
			if rate < 0 && !t.Failed() { // what does not move at all has its name already
				opts = append(opts, check.Mistake(p.start, "you moved nothing at a negative rate: it moves by −rate·gradient too"))
			}
			check.Equal(t, fmt.Sprintf("after Step(grad, %v), %s", rate, p.name), p.got, moved(p.start, p.by, -rate), check.Tol{Rel: 1e-12, Abs: 1e-13}, opts...)
		}
	}
	check.Equal(t, "Step(grad, 0.37) left grad", passed, grad, check.Exact, check.Why("the caller's gradient is not Step's to change"))
	check.Independent(t, "n.Step(grad, rate)", (*zeroinit.Net).Step, check.Args{before, grad, rate}, check.Args{random(), random(), 0.5}, check.InPlace("n"))
}

func TestDistinctUnits(t *testing.T) {
	defer check.Rescue(t)
	type unitsCase struct {
		name   string
		w1, b1 []float64 // W1 is 3×4: a unit a column
		tol    float64
	}
	none := []float64{0, 0, 0, 0}
	cases := []unitsCase{
		{"one unit four times", []float64{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, []float64{.5, .5, .5, .5}, 1e-9},
		{"all weights alike", []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, none, 0},
		{"biases differ", []float64{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, []float64{.5, 0, 0, .5}, 1e-9},
		{"falling weights", []float64{4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1}, none, 1e-9},
		{"rising weights", []float64{1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}, none, 1e-9},
		{"opposite weights", []float64{1, -1, 1, -1, 2, -2, 2, -2, 3, -3, 3, -3}, none, 1e-9},
		{"one weight differs", []float64{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 7, 3}, none, 1e-9},
		{"equal but for rounding", []float64{1, 1 + 1e-12, 1, 1 - 1e-12, 2, 2, 2 + 1e-12, 2, 3, 3, 3, 3}, []float64{0, 0, 1e-12, 0}, 1e-9},
		{"nearly equal, and tol is 0", []float64{1, 1 + 1e-12, 1, 1 - 1e-12, 2, 2, 2, 2, 3, 3, 3, 3}, []float64{0, 0, 1e-300, 0}, 0},
		{"large weights", []float64{1000, 1000.5, 1000, 1000.5, 2000, 2000, 2000, 2000, 0, 0, 0, 0}, none, 0.01},
		{"exactly tol apart", []float64{1, 1.5, 0.5, 1.25, 2, 2, 2, 2, 3, 3, 3, 3}, none, 0.5},
		{"biases exactly tol apart", []float64{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, []float64{.5, 0, .25, 1}, 0.5},
		{"three weights nearly tol apart", []float64{1, 1.25, 1, 1.25, 2, 2.25, 2, 2.25, 3, 3.25, 3, 3.25}, none, 0.375},
		{"two weights nearly tol apart", []float64{1, 1.25, 1, 1.25, 2, 2.25, 2, 2.25, 3, 3, 3, 3}, none, 0.375},
		{"a chain", []float64{.25, .4375, .625, .8125, .875, .6875, .5, .3125, 3, 3, 3, 3}, none, 0.25},
		{"two units and one between them", []float64{0, .375, .1875, 0, 0, 0, 0, 0, 0, 0, 0, 0}, none, 0.25},
	}
	netOf := func(c unitsCase) *zeroinit.Net {
		return &zeroinit.Net{
			W1: mat.NewDense(3, 4, slices.Clone(c.w1)), B1: slices.Clone(c.b1),
			W2: mat.NewDense(4, 2, []float64{1, 2, 3, 4, 1, 2, 3, 4}), B2: []float64{0, 0},
		}
	}
	each := func(f func(n *zeroinit.Net, tol float64) int) map[string]int {
		found := map[string]int{}
		for _, c := range cases {
			found[fmt.Sprintf("%s, W1 = 3×4 %v, B1 = %v, tol %v", c.name, c.w1, c.b1, c.tol)] = f(netOf(c), c.tol)
		}
		return found
	}
	incoming := func(n *zeroinit.Net) (units [][]float64) {
		for j, b := range n.B1 {
			units = append(units, append(mat.Col(nil, j, n.W1), b))
		}
		return units
	}
	within := func(a, b []float64, tol float64) bool { return floats.Distance(a, b, math.Inf(1)) <= tol }
	// count counts a unit if it is the same as none of those before it that against picks.
	count := func(units [][]float64, same func(a, b []float64) bool, against func(before [][]float64, counted []bool) [][]float64) int {
		total, counted := 0, make([]bool, len(units))
		for j, unit := range units {
			counted[j] = !slices.ContainsFunc(against(units[:j], counted), func(other []float64) bool { return same(unit, other) })
			if counted[j] {
				total++
			}
		}
		return total
	}
	countedOnes := func(before [][]float64, counted []bool) (out [][]float64) {
		for j, unit := range before {
			if counted[j] {
				out = append(out, unit)
			}
		}
		return out
	}
	all := func(before [][]float64, _ []bool) [][]float64 { return before }
	last := func(before [][]float64, _ []bool) [][]float64 { return before[max(0, len(before)-1):] }
	comparing := func(same func(a, b []float64, tol float64) bool) map[string]int {
		return each(func(n *zeroinit.Net, tol float64) int {
			return count(incoming(n), func(a, b []float64) bool { return same(a, b, tol) }, countedOnes)
		})
	}
	of := func(units func(n *zeroinit.Net) [][]float64) map[string]int {
		return each(func(n *zeroinit.Net, tol float64) int {
			return count(units(n), func(a, b []float64) bool { return within(a, b, tol) }, countedOnes)
		})
	}
	among := func(against func(before [][]float64, counted []bool) [][]float64) map[string]int {
		return each(func(n *zeroinit.Net, tol float64) int {
			return count(incoming(n), func(a, b []float64) bool { return within(a, b, tol) }, against)
		})
	}
	forAll := func(a, b []float64, f func(x, y float64) bool) bool {
		for i := range a {
			if !f(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	const outgoing = "you compared the outgoing weights: only W1 and B1 count"
	const chained = "you compared a unit with units that were not counted: a chain of small differences may lead far"
	t.Run("all cases", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "DistinctUnits(n, tol) of", each(zeroinit.DistinctUnits), of(incoming), check.Exact,
			check.Why("a unit counts if it is the same as no unit counted before it; the same is no weight of its column and no bias more than tol apart"),
			check.Mistake(of(func(n *zeroinit.Net) (rows [][]float64) {
				for i := range 3 {
					rows = append(rows, n.W1.RawRowView(i))
				}
				return rows
			}), "you compared the rows of W1: the incoming weights of a unit are a column"),
			check.Mistake(of(func(n *zeroinit.Net) [][]float64 {
				units := incoming(n)
				for j := range units {
					units[j] = append(units[j], n.W2.RawRowView(j)...)
				}
				return units
			}), outgoing),
			check.Mistake(of(func(n *zeroinit.Net) (units [][]float64) {
				for j := range n.B1 {
					units = append(units, n.W2.RawRowView(j))
				}
				return units
			}), outgoing),
			check.Mistake(of(func(n *zeroinit.Net) (units [][]float64) {
				for j, b := range n.B1 {
					units = append(units, append(mat.Row(nil, j, n.W2), b))
				}
				return units
			}), outgoing),
			check.Mistake(of(func(n *zeroinit.Net) [][]float64 {
				units := incoming(n)
				for j := range units {
					units[j] = units[j][:3]
				}
				return units
			}), "you left the biases out of the comparison"),
			check.Mistake(each(func(n *zeroinit.Net, tol float64) int {
				if tol == 0 {
					tol = 1e-9
				}
				return count(incoming(n), func(a, b []float64) bool { return within(a, b, tol) }, countedOnes)
			}), "you took a tol of 0 for none: then only equal units are the same"),
			check.Mistake(among(last), "you compared each unit with its neighbour only: compare it with every unit counted so far"),
			check.Mistake(among(all), chained),
			check.Mistake(each(func(n *zeroinit.Net, tol float64) int {
				units := incoming(n)
				group := []int{0, 1, 2, 3}
				for range units {
					for i := range units {
						for j := range units {
							if within(units[i], units[j], tol) {
								group[i] = min(group[i], group[j])
							}
						}
					}
				}
				return len(slices.Compact(slices.Sorted(slices.Values(group))))
			}), "you joined units that a chain of small differences connects: a unit is compared with those counted, and with no other"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool {
				return forAll(a, b, func(x, y float64) bool { return x-y <= tol })
			}),
				"you compared differences with their sign: compare |a − b| with tol"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool {
				return forAll(a, b, func(x, y float64) bool { return y-x <= tol })
			}),
				"you compared differences with their sign: compare |a − b| with tol"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool {
				return forAll(a, b, func(x, y float64) bool { return math.Abs(math.Abs(x)-math.Abs(y)) <= tol })
			}), "you compared absolute values: 1 and −1 are different weights"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool {
				return !forAll(a, b, func(x, y float64) bool { return math.Abs(x-y) > tol })
			}),
				"you called units the same when any weight agrees: every one must"),
			check.Mistake(comparing(func(a, b []float64, _ float64) bool { return slices.Equal(a, b) }),
				"you compared exactly: elements that differ by no more than tol are the same"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool {
				return forAll(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tol*max(math.Abs(x), math.Abs(y)) })
			}), "you compared relative to the size of the weights: tol is an absolute difference"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool {
				return forAll(a, b, func(x, y float64) bool { return math.Abs(x-y) < tol })
			}),
				"you took a difference of tol itself for too much: no more than tol is the same"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool { return floats.Distance(a, b, 2) <= tol }),
				"you took the distance over all weights together: tol is for each of them"),
			check.Mistake(comparing(func(a, b []float64, tol float64) bool { return floats.Distance(a, b, 1) <= tol }),
				"you summed the differences of all weights: tol is for each of them"),
			check.Mistake(each(func(n *zeroinit.Net, tol float64) int {
				return 4 - count(incoming(n), func(a, b []float64) bool { return within(a, b, tol) }, countedOnes)
			}), "you counted the repetitions: it is the different ones that are asked for"),
			check.Mistake(each(func(n *zeroinit.Net, tol float64) int {
				units, alone := incoming(n), 0
				for _, unit := range units {
					if len(slices.DeleteFunc(slices.Clone(units), func(other []float64) bool { return !within(unit, other, tol) })) == 1 {
						alone++
					}
				}
				return alone
			}), "you counted the units that have no equal: of equal ones the first counts"))
	})
	t.Run("other sizes", func(t *testing.T) {
		defer check.Rescue(t)
		got, want := map[string]int{}, map[string]int{}
		for _, size := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {2, 9}} {
			in, hidden := size[0], size[1]
			n := &zeroinit.Net{W1: mat.NewDense(in, hidden, nil), B1: make([]float64, hidden), W2: mat.NewDense(hidden, 2, nil), B2: []float64{0, 0}}
			n.W1.Apply(func(i, j int, _ float64) float64 { return float64(i + j/3) }, n.W1)
			call := fmt.Sprintf("%d inputs, %d hidden units, three in a row alike", in, hidden)
			got[call], want[call] = zeroinit.DistinctUnits(n, 0.5), (hidden+2)/3
		}
		check.Equal(t, "DistinctUnits(n, 0.5) of", got, want, check.Exact, check.Why("a single unit is one; of three alike one counts"))
	})
	args, _ := drawnArgs(t)
	alike := &zeroinit.Net{W1: mat.NewDense(2, 4, nil), B1: make([]float64, 4), W2: mat.NewDense(4, 1, nil), B2: []float64{0}}
	check.Independent(t, "DistinctUnits(n, tol)", zeroinit.DistinctUnits, check.Args{args[0], 1e-9}, check.Args{alike, 1e9})
}

// netCase is a golden case: a net, examples, and what PyTorch makes of them.
type netCase struct {
	Name               string
	X                  check.Array
	Labels             []int
	Loss               float64
	Hidden, Probs      check.Array
	W1, B1, W2, B2     check.Array
	DW1, DB1, DW2, DB2 check.Array
}

func (c netCase) net() *zeroinit.Net {
	return &zeroinit.Net{W1: c.W1.Dense(), B1: c.B1.Floats(), W2: c.W2.Dense(), B2: c.B2.Floats()}
}

// part is one of the four parts of a gradient, beside what it is after the two mistakes that change its pattern.
type part struct {
	name             string
	got, want        any
	noTarget, noMask any
	noReLU           any // of W2
}

func (c netCase) parts(grad *zeroinit.Net) []part {
	target := mat.NewDense(len(c.Labels), len(c.B2.Data), nil)
	for i, k := range c.Labels {
		target.Set(i, k, 1)
	}
	var residual mat.Dense
	residual.Sub(c.Probs.Dense(), target)
	unmasked := c.backprop(&residual, false)
	aimless := c.backprop(c.Probs.Dense(), true)
	var noReLU mat.Dense
	noReLU.Mul(affine(c.X.Dense(), c.W1.Dense(), c.B1.Floats()).T(), scaled(1/float64(len(c.Labels)), &residual))
	return []part{
		{"W1", grad.W1, c.DW1.Dense(), aimless.W1, unmasked.W1, nil},
		{"B1", grad.B1, c.DB1.Floats(), aimless.B1, unmasked.B1, nil},
		{"W2", grad.W2, c.DW2.Dense(), aimless.W2, nil, &noReLU},
		{"B2", grad.B2, c.DB2.Floats(), aimless.B2, nil, nil},
	}
}

// meanLoss is the mean over the rows of what f makes of the probabilities and the label.
func (c netCase) meanLoss(f func(p []float64, label int) float64) float64 {
	mean, probs := 0.0, c.Probs.Dense()
	for i, k := range c.Labels {
		mean += f(probs.RawRowView(i), k) / float64(len(c.Labels))
	}
	return mean
}

// backprop carries the given residual of the outputs, summed over the rows and divided by their number, back to every part of the net.
func (c netCase) backprop(residual *mat.Dense, masked bool) *zeroinit.Net {
	rows := float64(len(c.Labels))
	hidden, delta := c.Hidden.Dense(), scaled(1/rows, residual)
	var below, dw1, dw2 mat.Dense
	below.Mul(delta, c.W2.Dense().T())
	if masked {
		below.Apply(func(i, j int, d float64) float64 {
			if hidden.At(i, j) == 0 {
				return 0
			}
			return d
		}, &below)
	}
	dw1.Mul(c.X.Dense().T(), &below)
	dw2.Mul(hidden.T(), delta)
	return &zeroinit.Net{W1: &dw1, B1: columnSums(&below), W2: &dw2, B2: columnSums(delta)}
}

func columnSums(m *mat.Dense) []float64 {
	_, cols := m.Dims()
	sums := make([]float64, cols)
	for k := range sums {
		sums[k] = floats.Sum(mat.Col(nil, k, m))
	}
	return sums
}

// drawn fills a matrix row by row.
func drawn(rows, cols int, draw func() float64) *mat.Dense {
	m := mat.NewDense(rows, cols, nil)
	m.Apply(func(_, _ int, _ float64) float64 { return draw() }, m)
	return m
}

func scaled(by float64, m *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Scale(by, m)
	return &out
}

func sigmoids(z *mat.Dense) *mat.Dense {
	p := mat.DenseCopyOf(z)
	p.Apply(func(_, _ int, v float64) float64 { return 1 / (1 + math.Exp(-v)) }, p)
	return p
}

// overall is a softmax over all rows together.
func overall(z *mat.Dense) *mat.Dense {
	rows, columns := z.Dims()
	values := slices.Clone(z.RawMatrix().Data)
	return mat.NewDense(rows, columns, softmaxRows(mat.NewDense(1, rows*columns, values)).RawMatrix().Data)
}

// scale is scaled for a matrix or a slice.
func scale(by float64, v any) any {
	if m, ok := v.(*mat.Dense); ok {
		return scaled(by, m)
	}
	values := v.([]float64)
	return floats.ScaleTo(make([]float64, len(values)), by, values)
}

// affine is x·w + b; b nil is no bias.
func affine(x, w *mat.Dense, b []float64) *mat.Dense {
	var z mat.Dense
	z.Mul(x, w)
	if b != nil {
		z.Apply(func(_, k int, v float64) float64 { return v + b[k] }, &z)
	}
	return &z
}

func relu(z *mat.Dense) *mat.Dense {
	h := mat.DenseCopyOf(z)
	h.Apply(func(_, _ int, v float64) float64 { return max(0, v) }, h)
	return h
}

func softmaxRows(z *mat.Dense) *mat.Dense {
	p := mat.DenseCopyOf(z)
	p.Apply(func(i, _ int, v float64) float64 { return math.Exp(v - floats.LogSumExp(z.RawRowView(i))) }, p)
	return p
}

func softmaxColumns(z *mat.Dense) *mat.Dense {
	return mat.DenseCopyOf(softmaxRows(mat.DenseCopyOf(z.T())).T())
}

func identity(n int) *mat.Dense {
	out := mat.NewDense(n, n, nil)
	for i := range n {
		out.Set(i, i, 1)
	}
	return out
}
