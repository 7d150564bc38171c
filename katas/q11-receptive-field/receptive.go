// Package receptive computes what a convolutional network sees and what it costs: receptive fields, parameters,
// multiply-accumulates. Source of the recurrences: Araujo, Norris and Sim 2019, doi 10.23915/distill.00021.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "receptive: ".
package receptive

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
	panic("TODO: OutputSize")
}

// Field returns the theoretical receptive field of a unit after the layers, in input pixels along one axis: its size, the
// jump (effective stride: how far apart in the input the fields of two neighbouring units are), and the pad (effective
// padding: how far the field of unit 0 begins before pixel 0). Without layers a unit is a pixel: 1, 1, 0.
func Field(layers []Layer) (size, jump, pad int) {
	panic("TODO: Field")
}

// Span returns the first and the last input pixel that a unit after the layers sees along one axis; units count from 0.
// first is negative where the field begins in the padding, last may lie behind the input.
func Span(layers []Layer, unit int) (first, last int) {
	panic("TODO: Span")
}

// Params returns the number of learned parameters of l: weights, biases, γ and β. A pool has none.
// It panics if Groups does not divide In and Out.
func Params(l Layer) int {
	panic("TODO: Params")
}

// MACs returns the multiply-accumulates of l on an input map of h×w: one for every product of a weight and an input,
// padded zeros among them; biases and batch norm count nothing. A pool has none, on any map.
// It panics if the map is too small for a convolution, or if Groups does not divide In and Out.
func MACs(l Layer, h, w int) int {
	panic("TODO: MACs")
}

// FLOPs returns the floating-point operations of l on an input map of h×w: two a multiply-accumulate, and one an output
// value for a bias; a pool has kernel² an output value. Batch norm counts nothing: it is folded.
// It panics where MACs does, and if the map is too small for a pool.
func FLOPs(l Layer, h, w int) int {
	panic("TODO: FLOPs")
}

// Network returns the parameters and the multiply-accumulates of layers applied one after the other to a square input of
// size×size. It returns an error that names the layer if a map becomes too small for it. It panics where Params does.
func Network(layers []Layer, size int) (params, macs int, err error) {
	panic("TODO: Network")
}

// EffectiveStd returns the standard deviation, in input pixels along one axis, of the weight that a unit after the layers
// gives to the pixels of its field, when every kernel is uniform and nothing else lies between the layers.
// Source: Luo, Li, Urtasun and Zemel 2016, arXiv:1701.04128.
func EffectiveStd(layers []Layer) float64 {
	panic("TODO: EffectiveStd")
}
