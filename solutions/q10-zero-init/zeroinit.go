// Package zeroinit trains a network with one hidden ReLU layer, to see what its first weights decide.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "zeroinit: ".
package zeroinit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Net is a classifier with one hidden layer of ReLU units and a softmax output. A gradient has the same four parts and
// is a Net too.
type Net struct {
	W1 *mat.Dense // in×hidden: column j holds the incoming weights of hidden unit j
	B1 []float64  // a bias a hidden unit
	W2 *mat.Dense // hidden×out: column k holds the incoming weights of class k
	B2 []float64  // a bias a class
}

// PriorLoss returns the entropy of the label frequencies, −Σ f_k ln f_k in nats, where f_k is the share of the labels
// that are k and 0·ln 0 = 0. No guess that ignores the input has a lower mean cross-entropy on these labels.
// It panics if there are no labels or a label is outside 0…classes−1.
// Source: Shannon 1948, section 6.
func PriorLoss(labels []int, classes int) float64 {
	if len(labels) == 0 {
		panic("zeroinit: PriorLoss needs a label")
	}
	count := make([]float64, classes)
	for _, k := range labels {
		count[index(k, classes)]++
	}
	var entropy float64
	for _, c := range count {
		if c > 0 {
			f := c / float64(len(labels))
			entropy -= f * math.Log(f)
		}
	}
	return entropy
}

func index(label, classes int) int {
	if label < 0 || label >= classes {
		panic(fmt.Sprintf("zeroinit: label %d is outside the %d classes", label, classes))
	}
	return label
}

// Zero returns a net whose weights and biases are all 0.
func Zero(in, hidden, out int) *Net {
	return Constant(in, hidden, out, 0)
}

// Constant returns a net whose weights, in both layers, are all c and whose biases are 0.
func Constant(in, hidden, out int, c float64) *Net {
	return fill(in, hidden, out, func(int) float64 { return c })
}

// He returns a net with normally distributed weights of mean 0 and standard deviation √(2/fan-in), where the fan-in is
// the number of inputs of a unit: in for W1, hidden for W2. The biases are 0. Each weight is one rng.NormFloat64()
// times the standard deviation, drawn row by row, first W1, then W2.
// Source: He et al. 2015, equation 10.
func He(in, hidden, out int, rng *rand.Rand) *Net {
	return fill(in, hidden, out, func(fanIn int) float64 {
		return rng.NormFloat64() * math.Sqrt(2/float64(fanIn))
	})
}

func fill(in, hidden, out int, weight func(fanIn int) float64) *Net {
	layer := func(rows, cols int) *mat.Dense {
		w := mat.NewDense(rows, cols, nil)
		w.Apply(func(_, _ int, _ float64) float64 { return weight(rows) }, w)
		return w
	}
	return &Net{W1: layer(in, hidden), B1: make([]float64, hidden), W2: layer(hidden, out), B2: make([]float64, out)}
}

// Forward returns the output of the hidden layer, max(0, x·W1 + B1), N×hidden, and the class probabilities,
// softmax(hidden·W2 + B2) row by row, N×out. x is N×in and is not changed. Logits of ±1000 give finite probabilities.
// It panics if x has other than in columns.
func (n *Net) Forward(x *mat.Dense) (hidden, probs *mat.Dense) {
	if rows, columns := n.W1.RawMatrix().Rows, x.RawMatrix().Cols; rows != columns {
		panic(fmt.Sprintf("zeroinit: Forward of %d columns and a net with %d inputs", columns, rows))
	}
	hidden = affine(x, n.W1, n.B1)
	hidden.Apply(func(_, _ int, z float64) float64 { return max(0, z) }, hidden)

	probs = affine(hidden, n.W2, n.B2)
	rows, _ := probs.Dims()
	for i := range rows {
		p := probs.RawRowView(i)
		floats.AddConst(-floats.Max(p), p)
		for k := range p {
			p[k] = math.Exp(p[k])
		}
		floats.Scale(1/floats.Sum(p), p)
	}
	return hidden, probs
}

func affine(x, w *mat.Dense, b []float64) *mat.Dense {
	var z mat.Dense
	z.Mul(x, w)
	z.Apply(func(_, k int, v float64) float64 { return v + b[k] }, &z)
	return &z
}

// Backward returns the mean over the rows of the cross-entropy −ln probs[i][labels[i]], and its gradient with respect
// to every weight and bias of n, in a Net of the same shapes. The slope of ReLU at 0 is 0. x is N×in; x, labels and n
// are not changed. It panics where Forward does, if there is not one label a row, or if a label is not a class.
// Source: Rumelhart, Hinton and Williams 1986.
func (n *Net) Backward(x *mat.Dense, labels []int) (loss float64, grad *Net) {
	rows, _ := x.Dims()
	if len(labels) != rows {
		panic(fmt.Sprintf("zeroinit: Backward got %d labels for %d rows", len(labels), rows))
	}
	hidden, delta := n.Forward(x) // delta becomes ∂loss/∂logits
	for i, k := range labels {
		p := delta.At(i, index(k, len(n.B2)))
		loss -= math.Log(p) / float64(rows)
		delta.Set(i, k, p-1)
	}
	delta.Scale(1/float64(rows), delta)

	var below mat.Dense // ∂loss/∂(x·W1 + B1)
	below.Mul(delta, n.W2.T())
	below.Apply(func(i, j int, d float64) float64 {
		if hidden.At(i, j) > 0 {
			return d
		}
		return 0
	}, &below)

	grad = &Net{W1: new(mat.Dense), B1: columnSums(&below), W2: new(mat.Dense), B2: columnSums(delta)}
	grad.W1.Mul(x.T(), &below)
	grad.W2.Mul(hidden.T(), delta)
	return loss, grad
}

func columnSums(m *mat.Dense) []float64 {
	rows, cols := m.Dims()
	sums := make([]float64, cols)
	for i := range rows {
		floats.Add(sums, m.RawRowView(i))
	}
	return sums
}

// Step makes one step of gradient descent: it subtracts rate·grad from every weight and bias of n. grad is not changed.
func (n *Net) Step(grad *Net, rate float64) {
	descend := func(w, g *mat.Dense) {
		w.Apply(func(i, j int, v float64) float64 { return v - rate*g.At(i, j) }, w)
	}
	descend(n.W1, grad.W1)
	floats.AddScaled(n.B1, -rate, grad.B1)
	descend(n.W2, grad.W2)
	floats.AddScaled(n.B2, -rate, grad.B2)
}

// DistinctUnits returns how many different hidden units n has. Two units are the same if their incoming weights, a
// column of W1, and their biases differ by no more than tol in any element; their outgoing weights do not matter.
// A unit counts if it is the same as no unit counted before it.
func DistinctUnits(n *Net, tol float64) int {
	var distinct [][]float64
	for j, b := range n.B1 {
		unit := append(mat.Col(nil, j, n.W1), b)
		same := func(other []float64) bool { return floats.Distance(unit, other, math.Inf(1)) <= tol }
		if !slices.ContainsFunc(distinct, same) {
			distinct = append(distinct, unit)
		}
	}
	return len(distinct)
}
