package receptive_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/figure"
	receptive "whyhow/katas/q11-receptive-field"
)

// TestWhyFields sets the fields against the published ones: Araujo, Norris and Sim 2019, and the table of its library,
// github.com/google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md. VGG-19 and torchvision's ResNets are not in it: computed.
func TestWhyFields(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct {
		name   string
		layers []receptive.Layer
		want   int
	}{
		{"AlexNet", until(alexNet(2), "pool5"), 195},
		{"VGG-16", until(vgg(2, 2, 3, 3, 3), "pool5"), 212},
		{"VGG-19", until(vgg(2, 2, 4, 4, 4), "pool5"), 268},
		{"MobileNet v1", until(mobileNet(), "pw13"), 315},
		{"ResNet-50, stride on the first 1×1", resNet(firstOne, 3, 4, 6, 3), 483},
		{"ResNet-50, stride in the last block", resNet(lastThree, 3, 4, 6, 3), 483},
		{"ResNet-50, stride on the 3×3", resNet(firstThree, 3, 4, 6, 3), 427},
		{"ResNet-101, stride on the first 1×1", resNet(firstOne, 3, 4, 23, 3), 1027},
		{"ResNet-101, stride in the last block", resNet(lastThree, 3, 4, 23, 3), 1027},
		{"ResNet-101, stride on the 3×3", resNet(firstThree, 3, 4, 23, 3), 971},
		{"ResNet-152, stride on the first 1×1", resNet(firstOne, 3, 8, 36, 3), 1507},
		{"ResNet-152, stride in the last block", resNet(lastThree, 3, 8, 36, 3), 1507},
		{"ResNet-152, stride on the 3×3", resNet(firstThree, 3, 8, 36, 3), 1451},
	} {
		size, jump, _ := receptive.Field(c.layers)
		t.Logf("%s: field %d, effective stride %d", c.name, size, jump)
		check.Equal(t, "field and effective stride of "+c.name, []int{size, jump}, []int{c.want, 32}, check.Exact)
	}

	layers := vgg(2, 2, 3, 3, 3)
	for _, row := range vggTable {
		size, jump, pad := receptive.Field(until(layers, row.name))
		check.Equal(t, "Field of VGG-16 up to "+row.name, []int{size, jump, pad}, []int{row.field, row.jump, row.pad}, check.Exact)
	}
	for _, row := range []struct {
		name             string
		field, jump, pad int
	}{{"conv1", 11, 4, 0}, {"pool1", 19, 8, 0}, {"conv2", 51, 8, 16}, {"conv3", 99, 16, 32}, {"conv4", 131, 16, 48}, {"conv5", 163, 16, 64}, {"pool5", 195, 32, 64}} {
		size, jump, pad := receptive.Field(until(alexNet(0), row.name))
		check.Equal(t, "Field of TF-Slim's AlexNet up to "+row.name, []int{size, jump, pad}, []int{row.field, row.jump, row.pad}, check.Exact)
	}

	panel := figure.Panel{X: figure.Axis{Label: "layer"}, Y: figure.Axis{Label: "receptive field (pixels)"}}
	for _, n := range []struct {
		name   string
		layers []receptive.Layer
	}{{"AlexNet", until(alexNet(2), "pool5")}, {"VGG-16", until(layers, "pool5")}, {"ResNet-50", resNet(firstOne, 3, 4, 6, 3)}} {
		s := figure.Series{Name: n.name, Mark: figure.LinePoints}
		for k := range n.layers {
			size, _, _ := receptive.Field(n.layers[:k+1])
			s.X, s.Y = append(s.X, float64(k+1)), append(s.Y, float64(size))
		}
		panel.Series = append(panel.Series, s)
	}
	panel.Series = append(panel.Series, figure.Series{Name: "an image of 224", X: []float64{1, 51}, Y: []float64{224, 224}, Mark: figure.Dashed})
	figure.Save(t, "fields", figure.Figure{
		Title:   "ResNet-50's receptive field outgrows the image, AlexNet's and VGG-16's nearly fill it",
		Caption: "Every layer with a kernel, pooling layers too, up to the last map. A layer adds (k − 1)·jump: a 1×1 nothing, a 3×3 the more, the more strides come before it.",
		Panels:  []figure.Panel{panel},
	})
}

// TestWhyCosts counts whole networks on images of 224×224.
func TestWhyCosts(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct {
		name         string
		layers       []receptive.Layer
		params, macs int
	}{
		{"AlexNet", alexNet(2), 61_100_840, 714_188_480}, // parameters: torchvision's documentation
		{"VGG-16", vgg(2, 2, 3, 3, 3), 138_357_544, 15_470_264_320},
		{"VGG-19", vgg(2, 2, 4, 4, 4), 143_667_240, 19_632_062_464},
		{"MobileNet v1", mobileNet(), 4_231_976, 568_740_352}, // the paper: 4.2 million, 569 million mult-adds
	} {
		params, macs, err := receptive.Network(c.layers, 224)
		require.NoError(t, err, c.name)
		t.Logf("%s: %.2f million parameters, %.3f GMACs", c.name, float64(params)/1e6, float64(macs)/1e9)
		check.Equal(t, "Network("+c.name+", 224) params and macs", []int{params, macs}, []int{c.params, c.macs}, check.Exact)
	}

	// VGG-16 layer by layer: operations up to each row of the published table, values in memory, and who has the parameters.
	size, flops, values := 224, 0, 3*224*224
	params, macs := map[string]int{}, map[string]int{}
	var stages []string
	published := vggTable
	for _, l := range vgg(2, 2, 3, 3, 3) {
		flops += receptive.FLOPs(l, size, size)
		stage, _, _ := strings.Cut(l.Name, "_")
		if !l.Pool {
			if params[stage] == 0 {
				stages = append(stages, stage)
			}
			params[stage] += receptive.Params(l)
			macs[stage] += receptive.MACs(l, size, size)
		}
		out, err := receptive.OutputSize(size, l)
		require.NoError(t, err, l.Name)
		size = out
		values += l.Out * size * size
		if len(published) > 0 && published[0].name == l.Name {
			check.Equal(t, "FLOPs of VGG-16 up to "+l.Name+", in G", float64(flops)/1e9, published[0].gflops, check.Abs(0.0005),
				check.Why("the published table counts two a multiply-accumulate, one a bias, k² a pooling output"))
			published = published[1:]
			if l.Name == "pool5" {
				t.Logf("VGG-16 up to pool5: %d FLOPs; published: 30.713 G", flops)
				check.Equal(t, "FLOPs of VGG-16 up to pool5", flops, 30_712_930_304, check.Exact)
			}
		}
	}
	t.Logf("VGG-16 keeps %d values a forward pass, %.1f MiB in float32; the CS231n notes total 24M, 93 MB", values, float64(values)*4/(1<<20))
	check.Equal(t, "activations of VGG-16, the image and the logits among them", values, 15_237_608, check.Exact)

	var left, right []figure.Bar
	for _, stage := range stages {
		left = append(left, figure.Bar{Label: stage, Value: float64(params[stage]) / 1e6})
		right = append(right, figure.Bar{Label: stage, Value: float64(macs[stage]) / 1e9})
	}
	figure.Save(t, "costs", figure.Figure{
		Title:   "VGG-16: the dense layers hold the parameters, the convolutions do the work",
		Caption: "One image of 224×224. A dense layer uses each weight once; a convolution uses it at every output position.",
		Panels: []figure.Panel{
			{Title: "parameters", Y: figure.Axis{Label: "millions"}, Bars: left},
			{Title: "multiply-accumulates (MACs)", Y: figure.Axis{Label: "GMACs"}, Bars: right},
		},
	})
}

// TestWhyEffective convolves uniform 3-tap kernels with each other, and sets the spread of the weight against the field.
func TestWhyEffective(t *testing.T) {
	defer check.Rescue(t)
	left := figure.Panel{Title: "weight of each pixel", X: figure.Axis{Label: "pixels from the centre"}, Y: figure.Axis{Label: "weight"}}
	var depths, fields, spreads []float64
	for n := 1; n <= 40; n++ {
		layers := make([]receptive.Layer, n)
		for i := range layers {
			layers[i] = receptive.Layer{Kernel: 3, Pad: 1}
		}
		size, _, _ := receptive.Field(layers)
		std := receptive.EffectiveStd(layers)
		weight := bell(n)
		require.Len(t, weight, size, "the field of %d layers", n)
		variance := 0.0
		for i, w := range weight {
			variance += w * float64((i-n)*(i-n))
		}
		check.Equal(t, fmt.Sprintf("EffectiveStd of %d 3×3 layers", n), std, math.Sqrt(variance), check.Rel(1e-9),
			check.Why("the standard deviation of n uniform kernels, convolved"))
		depths, fields, spreads = append(depths, float64(n)), append(fields, float64(size)), append(spreads, 4*std)
		if n == 10 || n == 40 {
			taps := holding(weight, 0.95)
			t.Logf("%d layers: field %d, standard deviation %.2f; %d pixels hold 95 %% of the weight", n, size, std, taps)
			check.Equal(t, fmt.Sprintf("field of %d layers, and the pixels that hold 95 %% of its weight", n),
				[]int{size, taps}, map[int][]int{10: {21, 11}, 40: {81, 21}}[n], check.Exact)
			x := make([]float64, size)
			for i := range x {
				x[i] = float64(i - n)
			}
			left.Series = append(left.Series, figure.Series{Name: fmt.Sprintf("%d layers, field %d", n, size), X: x, Y: weight})
		}
	}
	figure.Save(t, "effective", figure.Figure{
		Title:   "The field grows with the layers, what counts in it with their square root",
		Caption: "3×3 layers with uniform kernels, along one axis. Four standard deviations, two to each side, hold about 95 % of the weight.",
		Panels: []figure.Panel{left, {
			Title: "width", X: figure.Axis{Label: "layers"}, Y: figure.Axis{Label: "pixels"},
			Series: []figure.Series{
				{Name: "receptive field", X: depths, Y: fields},
				{Name: "4 standard deviations", X: depths, Y: spreads, Mark: figure.Dashed},
			},
		}},
	})
}

// vggTable is the part of RECEPTIVE_FIELD_TABLE.md on vgg_16 at 224: what lies before an end-point and in it.
var vggTable = []struct {
	name             string
	gflops           float64
	field, jump, pad int
}{
	{"conv1_1", 0.177, 3, 1, 1},
	{"pool1", 3.882, 6, 2, 2},
	{"conv2_1", 5.734, 10, 2, 4},
	{"pool2", 9.436, 16, 4, 6},
	{"conv3_1", 11.287, 24, 4, 10},
	{"conv3_2", 14.987, 32, 4, 14},
	{"pool3", 18.688, 44, 8, 18},
	{"conv4_1", 20.538, 60, 8, 26},
	{"conv4_2", 24.238, 76, 8, 34},
	{"pool4", 27.938, 100, 16, 42},
	{"conv5_1", 28.863, 132, 16, 58},
	{"conv5_2", 29.788, 164, 16, 74},
	{"pool5", 30.713, 212, 32, 90},
}

// bell returns n uniform kernels of three taps, convolved with each other: 2n+1 weights that add up to 1.
func bell(n int) []float64 {
	weight := []float64{1}
	for range n {
		next := make([]float64, len(weight)+2)
		for i, w := range weight {
			for tap := range 3 {
				next[i+tap] += w / 3
			}
		}
		weight = next
	}
	return weight
}

// holding returns how many pixels around the centre it takes to hold share of the weight.
func holding(weight []float64, share float64) int {
	centre := len(weight) / 2
	held := weight[centre]
	for r := 0; ; r++ {
		if held >= share {
			return 2*r + 1
		}
		held += weight[centre-r-1] + weight[centre+r+1]
	}
}
