package cluster_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/figure"
	cluster "whyhow/katas/q19-gpu-cluster"
)

// One script, started once on each of two nodes with two free GPUs: from the job's host list, the nodes' nvidia-smi and the
// environment, the learner's functions lead each of four ranks to a GPU of its own and to its share of the data.
func TestWhyJob(t *testing.T) {
	defer check.Rescue(t)
	const perNode, examples, needMiB = 2, 1797, 16000
	smi := map[string]string{ // GPUs that other jobs use are nearly full
		"gpu07": header + "0, NVIDIA L4, 23034 MiB, 20111 MiB, 97 %\n1, NVIDIA L4, 23034 MiB, 15 MiB, 0 %\n2, NVIDIA L4, 23034 MiB, 19000 MiB, 0 %\n3, NVIDIA L4, 23034 MiB, 412 MiB, 3 %\n",
		"gpu08": header + "0, NVIDIA L4, 23034 MiB, 3 MiB, 0 %\n1, NVIDIA L4, 23034 MiB, 22900 MiB, 100 %\n2, NVIDIA L4, [N/A], [N/A], [N/A]\n3, NVIDIA L4, 23034 MiB, 3 MiB, 0 %\n",
	}
	wantPhysical := []string{"gpu07 GPU 1", "gpu07 GPU 3", "gpu08 GPU 0", "gpu08 GPU 3"}

	hosts, err := cluster.ExpandHosts("gpu[07-08]")
	require.NoError(t, err)
	masks := map[string]string{}
	present := map[string]int{}
	for _, host := range hosts {
		gpus, err := cluster.ParseSMI(strings.NewReader(smi[host]))
		require.NoError(t, err, host)
		present[host] = len(gpus)
		var chosen []string
		for range perNode {
			id, err := cluster.FreeGPU(gpus, needMiB)
			require.NoError(t, err, host)
			chosen = append(chosen, strconv.Itoa(id))
			gpus = slices.DeleteFunc(gpus, func(g cluster.GPU) bool { return g.Index == id })
		}
		_, err = cluster.FreeGPU(gpus, needMiB)
		require.Error(t, err, "a third GPU of %s would be one that another job fills", host)
		masks[host] = strings.Join(chosen, ",")
	}

	world := len(hosts) * perNode
	var physical []string
	read := make([]int, examples) // how often each example is read
	for rank := range world {
		node, local := cluster.Locate(rank, perNode)
		host := hosts[node]
		text, err := cluster.TFConfig(hosts, 2222, node)
		require.NoError(t, err)
		var config struct {
			Cluster struct{ Worker []string }
			Task    struct{ Index int }
		}
		require.NoError(t, json.Unmarshal(text, &config))
		require.Equal(t, host+":2222", config.Cluster.Worker[config.Task.Index], "rank %d finds its own address in TF_CONFIG", rank)

		d, err := cluster.ParseDevice(fmt.Sprintf("/job:worker/task:%d/device:GPU:%d", node, local))
		require.NoError(t, err)
		visible := cluster.VisibleDevices(masks[host], true, present[host])
		require.Less(t, d.Index, len(visible), "rank %d names GPU:%d, and CUDA_VISIBLE_DEVICES=%s shows %d", rank, d.Index, masks[host], len(visible))
		physical = append(physical, fmt.Sprintf("%s GPU %d", host, visible[d.Index]))
		for _, i := range cluster.ShardIndices(examples, world, rank, false) {
			read[i]++
		}
		t.Logf("rank %d: %s, local rank %d, CUDA_VISIBLE_DEVICES=%s, its GPU:%d is %s", rank, host, local, masks[host], d.Index, physical[rank])
	}
	check.Equal(t, "the GPU of each rank", physical, wantPhysical, check.Exact, check.Why("these have 16,000 MiB free, and no two ranks share one"))
	once, twice := 0, 0
	for _, n := range read {
		switch n {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	check.Equal(t, "examples that are read once and twice", []int{once, twice}, []int{1794, 3}, check.Exact,
		check.Why("1797 examples on 4 ranks: 450 each, and the first 3 fill up the last round"))
	t.Logf("%d ranks read all %d examples, %d of them twice; with 32 a GPU a step sees %d", world, examples, twice, cluster.EffectiveBatch(32, world, 1))
}

// The numbers of the experiment: an A100's peak in float32, 19.5 Tflop/s, behind PCIe 4.0, 32 GB/s in a direction, against a CPU
// that is assumed to do 1 Tflop/s.
const (
	cpuRate = 1e12
	gpuRate = 19.5e12
	pcie    = 32e9
)

func productFlops(n int) float64  { return 2 * float64(n) * float64(n) * float64(n) }
func additionFlops(n int) float64 { return float64(n) * float64(n) }

// movedBytes is what three n×n matrices of float32 take: two to the GPU, one back.
func movedBytes(n int) float64 { return 12 * float64(n) * float64(n) }

func TestWhyBreakEven(t *testing.T) {
	defer check.Rescue(t)
	const limit = 100_000
	n, ok := cluster.BreakEven(productFlops, movedBytes, cpuRate, gpuRate, pcie, limit)
	require.True(t, ok, "a matrix product has a break-even size")
	// 12n²/32e9 + 2n³/19.5e12 < 2n³/1e12 is n > 6/(32e9·(1/1e12 − 1/19.5e12)) = 197.6.
	check.Equal(t, "BreakEven of an n×n product", n, 198, check.Exact)
	_, ok = cluster.BreakEven(additionFlops, movedBytes, cpuRate, gpuRate, pcie, limit)
	check.Equal(t, fmt.Sprintf("BreakEven of an n×n addition, up to %d: ok", limit), ok, false, check.Exact,
		check.Why("an addition does 1 flop for 12 bytes at every size"))
	t.Logf("n×n product: worth moving from n = %d on; addition: at no n up to %d", n, limit)

	// A faster link moves the product's break-even in proportion; the addition gains at every size or at none: from 12/(1/1e12 − 1/19.5e12) = 12.65 TB/s on.
	var links, sizes []float64
	for _, link := range []float64{4e9, 8e9, 16e9, 32e9, 64e9, 128e9, 256e9, 512e9} {
		size, ok := cluster.BreakEven(productFlops, movedBytes, cpuRate, gpuRate, link, limit)
		require.True(t, ok, "a product has a break-even size over %g GB/s", link/1e9)
		_, ok = cluster.BreakEven(additionFlops, movedBytes, cpuRate, gpuRate, link, 10_000)
		require.False(t, ok, "an addition gains nothing over %g GB/s", link/1e9)
		links, sizes = append(links, link/1e9), append(sizes, float64(size))
	}
	check.Equal(t, "BreakEven over 4, 8, … 512 GB/s", sizes, []float64{1582, 791, 396, 198, 99, 50, 25, 13}, check.Exact)
	for _, c := range []struct {
		link float64
		want bool
	}{{12.6e12, false}, {12.7e12, true}} {
		_, ok := cluster.BreakEven(additionFlops, movedBytes, cpuRate, gpuRate, c.link, 1000)
		check.Equal(t, fmt.Sprintf("BreakEven of an addition over %g TB/s: ok", c.link/1e12), ok, c.want, check.Exact)
	}
	t.Logf("over %v GB/s the product breaks even at n = %v", links, sizes)

	panel := func(title string, flops func(n int) float64) figure.Panel {
		var x, cpu, gpu []float64
		for n := 16; n <= 4096; n *= 2 {
			x = append(x, float64(n))
			cpu = append(cpu, 1e6*flops(n)/cpuRate)
			gpu = append(gpu, 1e6*(movedBytes(n)/pcie+flops(n)/gpuRate))
		}
		return figure.Panel{
			Title:  title,
			X:      figure.Axis{Label: "size n of the n×n matrices", Log: true},
			Y:      figure.Axis{Label: "time in µs", Log: true, Min: new(1e-4), Max: new(1e6)},
			Series: []figure.Series{{Name: "CPU", X: x, Y: cpu}, {Name: "GPU, with the transfer", X: x, Y: gpu}},
		}
	}
	product := panel(fmt.Sprintf("product: pays from n = %d on", n), productFlops)
	product.Series = append(product.Series, figure.Series{
		Name: "break-even", Mark: figure.Points, X: []float64{float64(n)}, Y: []float64{1e6 * productFlops(n) / cpuRate},
	})
	figure.Save(t, "break-even", figure.Figure{
		Title: fmt.Sprintf("Over this link a product pays from n = %d on, an addition never: work for a byte decides", n),
		Caption: "Matrices in float32 go to the GPU, the result comes back. CPU 1 Tflop/s, GPU 19.5 Tflop/s, link 32 GB/s. A product does n/6 flops a byte, " +
			"so there is a size where the lines cross; an addition does 1/12 at any size, and over this link they never do. A faster link moves the crossing.",
		Panels: []figure.Panel{
			product,
			panel("addition: never pays", additionFlops),
			{
				Title:  "break-even of the product",
				X:      figure.Axis{Label: "link in GB/s", Log: true},
				Y:      figure.Axis{Label: "smallest n that pays", Log: true},
				Series: []figure.Series{{X: links, Y: sizes, Mark: figure.LinePoints}},
			},
		},
	})
}
