// Package relu holds the rectified linear unit, its leaky form, the initial weights that go with it, and the
// measurements that show when gradients vanish.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "relu: ".
package relu

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// ReLU returns max(0, z) of every element of z, in a new slice. Source: Nair and Hinton 2010; Glorot, Bordes and
// Bengio 2011.
func ReLU(z []float64) []float64 {
	panic("TODO: ReLU")
}

// ReLUBackward returns ∂L/∂z, given z, the input of the ReLU, and dy = ∂L/∂ReLU(z). The slope of ReLU at 0 is
// taken as 0, as PyTorch does. It panics if z and dy differ in length.
func ReLUBackward(z, dy []float64) []float64 {
	panic("TODO: ReLUBackward")
}

// NotLinear returns a witness that ReLU is not linear: two numbers with ReLU(a+b) ≠ ReLU(a) + ReLU(b), by 1e-6 at
// the least. Both lie within ±1e6, so that no rounding error passes for a witness.
func NotLinear() (a, b float64) {
	panic("TODO: NotLinear")
}

// SigmoidSlope returns dσ/dz, where σ(z) = 1/(1+e⁻ᶻ), to 1e-14. It is finite for every finite z.
func SigmoidSlope(z float64) float64 {
	panic("TODO: SigmoidSlope")
}

// Leaky returns the leaky ReLU of every element of z, in a new slice: z where z > 0, slope·z elsewhere, 0 ≤ slope < 1.
// Source: Maas, Hannun and Ng 2013.
func Leaky(z []float64, slope float64) []float64 {
	panic("TODO: Leaky")
}

// LeakyBackward returns ∂L/∂z of the leaky ReLU, given its input z and dy = ∂L/∂Leaky(z). At z = 0 the derivative is
// slope, as in PyTorch. It panics if z and dy differ in length.
func LeakyBackward(z, dy []float64, slope float64) []float64 {
	panic("TODO: LeakyBackward")
}

// HeStd returns the standard deviation of the initial weights of a layer that ends in a ReLU and whose units have
// fanIn inputs each. It panics if fanIn is below 1. Source: He et al. 2015, equation 10.
func HeStd(fanIn int) float64 {
	panic("TODO: HeStd")
}

// GlorotStd returns the standard deviation that Glorot and Bengio 2010 chose (equation 16, here in its normal form)
// for a layer of fanIn inputs and fanOut units. It panics if either is below 1.
func GlorotStd(fanIn, fanOut int) float64 {
	panic("TODO: GlorotStd")
}

// DeadFraction returns the fraction of units, 0…1, that are dead on this batch: z is N×units, a row an example, a
// column the inputs of one ReLU, and a unit is dead if z > 0 on no row; a NaN is not above 0. It panics if z is empty.
func DeadFraction(z *mat.Dense) float64 {
	panic("TODO: DeadFraction")
}

// SecondMoments sends one random input through a stack of layers h ← ReLU(h·W) without biases, and returns the mean
// of h² over the width units after each layer: a slice of length layers.
//
// It draws everything with rng.NormFloat64, in this order: the input, width values of N(0, 1); then, layer by layer,
// a fresh W, width×width, in×out, of N(0, std²), row by row, and no more than that. It panics if layers or width is below 1.
// Source: He et al. 2015.
func SecondMoments(layers, width int, std float64, rng *rand.Rand) []float64 {
	panic("TODO: SecondMoments")
}
