// Package filtersize asks what the size of a filter does to accuracy and cost, and which is ideal.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "filtersize: ".
package filtersize

import "gonum.org/v1/gonum/mat"

// Separable is a kernel that is a column times a row: k[i][j] = Col[i]·Row[j].
type Separable struct{ Col, Row []float64 }

// StackField returns the receptive field, along one axis, of a stack of kernel×kernel layers with stride 1. It panics if kernel is below 1 or layers below 0.
func StackField(kernel, layers int) int {
	panic("TODO: StackField")
}

// LayersFor returns how many kernel×kernel layers with stride 1 have exactly the given field; 0 for a field of 1. It returns an error if no number of
// layers does.
func LayersFor(field, kernel int) (int, error) {
	panic("TODO: LayersFor")
}

// Params returns the number of weights, without biases, of a stack of one or more kernel×kernel layers: the first from in to channels channels, each other
// from channels to channels.
func Params(kernel, layers, in, channels int) int {
	panic("TODO: Params")
}

// Activations returns how many output values the layers of a stack have together, which a backward pass keeps: every layer has
// channels maps of h×w, padded to keep that size.
func Activations(layers, h, w, channels int) int {
	panic("TODO: Activations")
}

// Cheapest returns the odd kernel, 3 or larger, and the number of layers that reach the field exactly with the fewest weights, as Params counts them; of
// two that need equally many, the one with fewer layers. It panics if field is even or below 3.
func Cheapest(field, in, channels int) (kernel, layers int) {
	panic("TODO: Cheapest")
}

// Compose returns the one kernel that does what a, and after it b, do in a row, with nothing between them, no padding and no flip. For a P×Q and b R×S it
// is (P+R−1)×(Q+S−1).
func Compose(a, b *mat.Dense) *mat.Dense {
	panic("TODO: Compose")
}

// Separate writes k as a column times a row. It returns an error if that is not possible: if the second singular value of k exceeds 1e-9 of the first.
func Separate(k *mat.Dense) (Separable, error) {
	panic("TODO: Separate")
}

// LowRank returns the given number of separable kernels whose sum is nearest to k: of all such sums it has the least sum of squared differences. It panics if
// terms is negative or exceeds the smaller side of k. Source: Eckart and Young 1936.
func LowRank(k *mat.Dense, terms int) []Separable {
	panic("TODO: LowRank")
}
