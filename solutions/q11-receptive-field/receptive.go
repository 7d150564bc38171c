// Package receptive computes what a convolutional network sees and what it costs: receptive fields, parameters,
// multiply-accumulates. Source of the recurrences: Araujo, Norris and Sim 2019, doi 10.23915/distill.00021.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "receptive: ".
package receptive

import (
	"fmt"
	"math"
)

// Layer is a convolution or a pooling layer with a square kernel, the same stride, padding and dilation along both axes.
type Layer struct {
	Name     string
	In, Out  int  // channels; of a pool both are the same
	Kernel   int  // k: the kernel is k×k
	Stride   int  // 0 means 1
	Pad      int  // on each side
	Dilation int  // the distance between two taps; 1 is an ordinary convolution, 0 means 1
	Groups   int  // each of the groups sees In/Groups channels and makes Out/Groups; 0 means 1
	Bias     bool // adds Out parameters
	Norm     bool // batch norm after it: adds 2·Out parameters, γ and β
	Pool     bool // has no parameters, whatever Groups, Bias and Norm say
}

// OutputSize returns the length of l's output along an axis of length in, rounded down:
//
//	⌊(in + 2·pad − dilation·(kernel − 1) − 1)/stride⌋ + 1
//
// It returns an error if the dilated kernel is longer than the padded input. Source: torch.nn.Conv2d.
func OutputSize(in int, l Layer) (int, error) {
	room := in + 2*l.Pad - span(l)
	if room < 0 {
		return 0, fmt.Errorf("receptive: a kernel that spans %d does not fit an input of %d with padding %d", span(l), in, l.Pad)
	}
	return room/max(l.Stride, 1) + 1, nil
}

// Field returns the theoretical receptive field of a unit after the layers, in input pixels along one axis: its size, the
// jump (effective stride: how far apart in the input the fields of two neighbouring units are), and the pad (effective
// padding: how far the field of unit 0 begins before pixel 0). Without layers a unit is a pixel: 1, 1, 0.
func Field(layers []Layer) (size, jump, pad int) {
	size, jump = 1, 1
	for _, l := range layers {
		size += (span(l) - 1) * jump
		pad += l.Pad * jump
		jump *= max(l.Stride, 1)
	}
	return size, jump, pad
}

// Span returns the first and the last input pixel that a unit after the layers sees along one axis; units count from 0.
// first is negative where the field begins in the padding, last may lie behind the input.
func Span(layers []Layer, unit int) (first, last int) {
	size, jump, pad := Field(layers)
	first = unit*jump - pad
	return first, first + size - 1
}

// Params returns the number of learned parameters of l: weights, biases, γ and β. A pool has none.
// It panics if Groups does not divide In and Out.
func Params(l Layer) int {
	if l.Pool {
		return 0
	}
	params := fanIn(l) * l.Out
	if l.Bias {
		params += l.Out
	}
	if l.Norm {
		params += 2 * l.Out
	}
	return params
}

// MACs returns the multiply-accumulates of l on an input map of h×w: one for every product of a weight and an input,
// padded zeros among them; biases and batch norm count nothing. A pool has none, on any map.
// It panics if the map is too small for a convolution, or if Groups does not divide In and Out.
func MACs(l Layer, h, w int) int {
	if l.Pool {
		return 0
	}
	return fanIn(l) * outputs(l, h, w)
}

// FLOPs returns the floating-point operations of l on an input map of h×w: two a multiply-accumulate, and one an output
// value for a bias; a pool has kernel² an output value. Batch norm counts nothing: it is folded.
// It panics where MACs does, and if the map is too small for a pool.
func FLOPs(l Layer, h, w int) int {
	switch {
	case l.Pool:
		return l.Kernel * l.Kernel * outputs(l, h, w)
	case l.Bias:
		return 2*MACs(l, h, w) + outputs(l, h, w)
	default:
		return 2 * MACs(l, h, w)
	}
}

// Network returns the parameters and the multiply-accumulates of layers applied one after the other to a square input of
// size×size. It returns an error that names the layer if a map becomes too small for it. It panics where Params does.
func Network(layers []Layer, size int) (params, macs int, err error) {
	for _, l := range layers {
		next, err := OutputSize(size, l)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", l.Name, err)
		}
		params += Params(l)
		macs += MACs(l, size, size)
		size = next
	}
	return params, macs, nil
}

// EffectiveStd returns the standard deviation, in input pixels along one axis, of the weight that a unit after the layers
// gives to the pixels of its field, when every kernel is uniform and nothing else lies between the layers.
// Source: Luo, Li, Urtasun and Zemel 2016, arXiv:1701.04128.
func EffectiveStd(layers []Layer) float64 {
	variance, jump := 0.0, 1
	for _, l := range layers {
		step := float64(jump * max(l.Dilation, 1))
		variance += step * step * float64(l.Kernel*l.Kernel-1) / 12
		jump *= max(l.Stride, 1)
	}
	return math.Sqrt(variance)
}

// span is the length of the dilated kernel.
func span(l Layer) int { return max(l.Dilation, 1)*(l.Kernel-1) + 1 }

// fanIn is the number of weights of one output channel.
func fanIn(l Layer) int {
	groups := max(l.Groups, 1)
	if l.In%groups != 0 || l.Out%groups != 0 {
		panic(fmt.Sprintf("receptive: %d groups do not divide %d and %d channels", groups, l.In, l.Out))
	}
	return l.Kernel * l.Kernel * l.In / groups
}

// outputs is the number of values of the output map.
func outputs(l Layer, h, w int) int {
	outH, errH := OutputSize(h, l)
	outW, errW := OutputSize(w, l)
	if errH != nil || errW != nil {
		panic(fmt.Sprintf("receptive: a map of %d×%d is too small for the layer", h, w))
	}
	return l.Out * outH * outW
}
