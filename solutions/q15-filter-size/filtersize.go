// Package filtersize asks what the size of a filter does to accuracy and cost, and which is ideal.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "filtersize: ".
package filtersize

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Separable is a kernel that is a column times a row: k[i][j] = Col[i]·Row[j].
type Separable struct{ Col, Row []float64 }

// StackField returns the receptive field, along one axis, of a stack of kernel×kernel layers with stride 1. It panics if kernel is below 1 or layers below 0.
func StackField(kernel, layers int) int {
	if kernel < 1 || layers < 0 {
		panic(fmt.Sprintf("filtersize: %d layers of kernel %d", layers, kernel))
	}
	return layers*(kernel-1) + 1
}

// LayersFor returns how many kernel×kernel layers with stride 1 have exactly the given field; 0 for a field of 1. It returns an error if no number of
// layers does.
func LayersFor(field, kernel int) (int, error) {
	switch {
	case field == 1:
		return 0, nil
	case field < 1 || kernel < 2 || (field-1)%(kernel-1) != 0:
		return 0, fmt.Errorf("filtersize: no stack of %d×%d layers has the field %d", kernel, kernel, field)
	}
	return (field - 1) / (kernel - 1), nil
}

// Params returns the number of weights, without biases, of a stack of one or more kernel×kernel layers: the first from in to channels channels, each other
// from channels to channels.
func Params(kernel, layers, in, channels int) int {
	return kernel * kernel * channels * (in + (layers-1)*channels)
}

// Activations returns how many output values the layers of a stack have together, which a backward pass keeps: every layer has
// channels maps of h×w, padded to keep that size.
func Activations(layers, h, w, channels int) int {
	return layers * h * w * channels
}

// Cheapest returns the odd kernel, 3 or larger, and the number of layers that reach the field exactly with the fewest weights, as Params counts them; of
// two that need equally many, the one with fewer layers. It panics if field is even or below 3.
func Cheapest(field, in, channels int) (kernel, layers int) {
	if field < 3 || field%2 == 0 {
		panic(fmt.Sprintf("filtersize: no stack of odd kernels has the field %d", field))
	}
	kernel, layers = field, 1
	for k := field - 2; k >= 3; k -= 2 {
		n, err := LayersFor(field, k)
		if err == nil && Params(k, n, in, channels) < Params(kernel, layers, in, channels) {
			kernel, layers = k, n
		}
	}
	return kernel, layers
}

// Compose returns the one kernel that does what a, and after it b, do in a row, with nothing between them, no padding and no flip. For a P×Q and b R×S it
// is (P+R−1)×(Q+S−1).
func Compose(a, b *mat.Dense) *mat.Dense {
	p, q := a.Dims()
	r, s := b.Dims()
	both := mat.NewDense(p+r-1, q+s-1, nil)
	for i := range p {
		for j := range q {
			for m := range r {
				for n := range s {
					both.Set(i+m, j+n, both.At(i+m, j+n)+a.At(i, j)*b.At(m, n))
				}
			}
		}
	}
	return both
}

// Separate writes k as a column times a row. It returns an error if that is not possible: if the second singular value of k exceeds 1e-9 of the first.
func Separate(k *mat.Dense) (Separable, error) {
	var svd mat.SVD
	if !svd.Factorize(k, mat.SVDThin) {
		return Separable{}, fmt.Errorf("filtersize: the singular value decomposition failed")
	}
	if s := svd.Values(nil); len(s) > 1 && s[1] > 1e-9*s[0] {
		return Separable{}, fmt.Errorf("filtersize: the kernel has rank 2 or more, singular values %.3g and %.3g", s[0], s[1])
	}
	return LowRank(k, 1)[0], nil
}

// LowRank returns the given number of separable kernels whose sum is nearest to k: of all such sums it has the least sum of squared differences. It panics if
// terms is negative or exceeds the smaller side of k. Source: Eckart and Young 1936.
func LowRank(k *mat.Dense, terms int) []Separable {
	if rows, columns := k.Dims(); terms < 0 || terms > min(rows, columns) {
		panic(fmt.Sprintf("filtersize: %d terms of a %d×%d kernel", terms, rows, columns))
	}
	var svd mat.SVD
	if !svd.Factorize(k, mat.SVDThin) {
		panic("filtersize: the singular value decomposition failed")
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	parts := make([]Separable, terms)
	for i, s := range svd.Values(nil)[:terms] {
		parts[i] = Separable{Col: mat.Col(nil, i, &u), Row: mat.Col(nil, i, &v)}
		for j := range parts[i].Col {
			parts[i].Col[j] *= math.Sqrt(s)
		}
		for j := range parts[i].Row {
			parts[i].Row[j] *= math.Sqrt(s)
		}
	}
	return parts
}
