// Package crossentropy compares two losses of a sigmoid output: cross-entropy and squared error.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "crossentropy: ".
package crossentropy

// Sigmoid returns σ(z) = 1/(1+e⁻ᶻ). Its relative error is at most 1e-14 from z = −700 up, and it is finite for every
// finite z.
func Sigmoid(z float64) float64 {
	panic("TODO: Sigmoid")
}

// LogLoss returns the cross-entropy of the target y and the output a = σ(z) of a neuron, −y·ln a − (1−y)·ln(1−a), in
// nats. z is the logit and y is in [0, 1]. It is finite for every finite z, and for |z| ≤ 1000 off by no more than 1e-9
// of its value or 1e-12, whichever is larger.
// Source: Bishop 2006, equation 4.90.
func LogLoss(z, y float64) float64 {
	panic("TODO: LogLoss")
}

// SquaredLoss returns ½(σ(z)−y)², the squared error of the output of a neuron with the logit z. y is in [0, 1].
func SquaredLoss(z, y float64) float64 {
	panic("TODO: SquaredLoss")
}

// LogLossGrad returns the derivative of LogLoss by the logit z, with absolute error 1e-15 at most.
func LogLossGrad(z, y float64) float64 {
	panic("TODO: LogLossGrad")
}

// SquaredLossGrad returns the derivative of SquaredLoss by the logit z, with absolute error 1e-15 at most.
func SquaredLossGrad(z, y float64) float64 {
	panic("TODO: SquaredLossGrad")
}

// Softmax returns the probabilities p_k = e^(z_k) / Σ_j e^(z_j) of the logits z, which it does not change. For finite
// logits of any size each is off by no more than 1e-12 of its value or 1e-15, whichever is larger. It panics if z is
// empty.
func Softmax(z []float64) []float64 {
	panic("TODO: Softmax")
}

// CrossEntropy returns −ln p_class, where p = Softmax(z), in nats, and its gradient with respect to the logits z, which
// it does not change. For finite logits of any size the loss is off by no more than 1e-9 of its value or 1e-12,
// whichever is larger, as long as a float64 can hold it, and the gradient by no more than Softmax is. It panics if class
// is not an index of z.
// Source: Bridle 1990.
func CrossEntropy(z []float64, class int) (loss float64, grad []float64) {
	panic("TODO: CrossEntropy")
}

// GradientRatio returns LogLossGrad(z, y) / SquaredLossGrad(z, y) as a function of the logit alone, the same for every
// y other than σ(z). It is finite, with relative error 1e-12 at most, for |z| ≤ 700.
func GradientRatio(z float64) float64 {
	panic("TODO: GradientRatio")
}

// TrainNeuron trains a neuron a = σ(w·x + b) on one example, the input x with the target y, by gradient descent. slope
// is the derivative of the loss by the logit: LogLossGrad or SquaredLossGrad. w and b move together, both by the
// gradient at the same point, epochs times, with the given learning rate. TrainNeuron returns the output a after each
// update, epochs values.
// Source: Nielsen 2015, chapter 3.
func TrainNeuron(slope func(z, y float64) float64, w, b, x, y, rate float64, epochs int) []float64 {
	panic("TODO: TrainNeuron")
}

// NotConvex returns two logits a and b that prove that SquaredLoss with the target 1 is not a convex function of the
// logit: its value at the midpoint (a+b)/2 exceeds the mean of its values at a and b by at least 1e-6.
func NotConvex() (a, b float64) {
	panic("TODO: NotConvex")
}
