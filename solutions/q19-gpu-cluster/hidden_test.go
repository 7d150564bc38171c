//go:build hidden

package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q19-gpu-cluster"
	reference "whyhow/solutions/q19-gpu-cluster"
)

func hiddenPick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// hiddenAgree compares a result and whether there is an error; what the result is beside an error does not matter.
func hiddenAgree(t *testing.T, call string, got any, gotErr error, want any, wantErr error) {
	t.Helper()
	if wantErr != nil {
		check.Fails(t, call, gotErr)
	} else if check.Equal(t, call+" returns an error", gotErr != nil, false, check.Exact) {
		check.Equal(t, call, got, want, check.Exact)
	}
}

func TestHiddenLocate(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		rank, gpus, less := rng.IntN(200), 1+rng.IntN(16), rng.IntN(3)
		node, local := learner.Locate(rank, gpus)
		wantNode, wantLocal := reference.Locate(rank, gpus)
		check.Equal(t, fmt.Sprintf("Locate(%d, %d)", rank, gpus), []int{node, local}, []int{wantNode, wantLocal}, check.Exact)
		batch := []int{1 + rng.IntN(99_999), 1 + rng.IntN(99_999), 1 + rng.IntN(9)}
		check.Equal(t, fmt.Sprintf("EffectiveBatch(%d)", batch), learner.EffectiveBatch(batch[0], batch[1], batch[2]), reference.EffectiveBatch(batch[0], batch[1], batch[2]), check.Exact)
		check.Panics(t, fmt.Sprintf("Locate(%d, %d)", -1-less, gpus), func() { learner.Locate(-1-less, gpus) })
		check.Panics(t, fmt.Sprintf("Locate(%d, %d)", rank, -less), func() { learner.Locate(rank, -less) })
		batch[rng.IntN(3)] = -less
		check.Panics(t, fmt.Sprintf("EffectiveBatch(%d)", batch), func() { learner.EffectiveBatch(batch[0], batch[1], batch[2]) })
	}
}

func TestHiddenShardIndices(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		n, world, drop := rng.IntN(30), 1+rng.IntN(9), rng.IntN(2) == 0
		rank, less := rng.IntN(world), rng.IntN(3)
		check.Equal(t, fmt.Sprintf("ShardIndices(%d, %d, %d, %t)", n, world, rank, drop), learner.ShardIndices(n, world, rank, drop), reference.ShardIndices(n, world, rank, drop), check.Exact)
		for _, bad := range [][3]int{{-1 - less, world, rank}, {n, world, -1 - less}, {n, world, world + less}, {n, -less, rank}} {
			check.Panics(t, fmt.Sprintf("ShardIndices(%d, %t)", bad, drop), func() { learner.ShardIndices(bad[0], bad[1], bad[2], drop) })
		}
	}
	check.Independent(t, "ShardIndices(n, world, rank, false)", learner.ShardIndices, check.Args{20 + rng.IntN(9), 3, 1, false}, check.Args{50 + rng.IntN(9), 4, 2, false})
}

// hiddenApart is the error without the text that was parsed, in which the piece stands anyway.
func hiddenApart(err error, text string) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.ReplaceAll(err.Error(), text, "…"))
}

func TestHiddenParseDevice(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		device := hiddenPick(rng, "", "/") + hiddenPick(rng, "", "job:worker/", "job:ps/", "job:/", "jobs:a/") + hiddenPick(rng, "", "replica:0/", "replica:2/", "task:9/") +
			hiddenPick(rng, "", "task:0/", "task:31/", "task:-1/", "task:x/") + hiddenPick(rng, "", "device:GPU:3", "device:cpu:*", "gpu:1", "TPU", "GPU:*", "GPU:1/CPU:0", "XPU:0", "device:GPU:1:2")
		got, err := learner.ParseDevice(device)
		want, wantErr := reference.ParseDevice(device)
		hiddenAgree(t, fmt.Sprintf("ParseDevice(%q)", device), got, err, learner.Device(want), wantErr)

		// Pieces in any order, one of them wrong.
		index := rng.IntN(100)
		pieces := []string{
			fmt.Sprintf("job:w%d", index), fmt.Sprintf("replica:%d", rng.IntN(9)), fmt.Sprintf(hiddenPick(rng, "task:%d", "task:%020d"), rng.IntN(99)), fmt.Sprintf(hiddenPick(rng, "device:GPU:%d", "Tpu:%d", "device:cpu:%d"), index),
		}
		rng.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		device = "/" + strings.Join(pieces, "/")
		got, err = learner.ParseDevice(device)
		want, wantErr = reference.ParseDevice(device)
		hiddenAgree(t, fmt.Sprintf("ParseDevice(%q)", device), got, err, learner.Device(want), wantErr)
		bad := fmt.Sprintf(hiddenPick(rng, "task:-%d", "task:+%d", "replica:%dx", "job", "job:a:%d", "device:GPU", "device:%d", "FPGA:%d", "GPU:", "device:GPU:-%d", "task:", "task:0x%d", "zone:%d", "replica: %d", "device:FPGA:%d", "Task:%d", "task:*", "replica:*", "JOB:a%d"), index)
		bad, _, _ = strings.Cut(bad, "%!") // no verb
		at := rng.IntN(len(pieces))
		kind, _, _ := strings.Cut(bad, ":")
		for i, p := range pieces { // in the place of one of its kind, lest that be given twice
			if strings.HasPrefix(p, kind) || (kind == "GPU" || kind == "FPGA") && (strings.HasPrefix(p, "device") || strings.HasPrefix(p, "Tpu")) {
				at = i
			}
		}
		pieces[at] = bad
		device = strings.Join(pieces, "/")
		_, err = learner.ParseDevice(device)
		check.Fails(t, fmt.Sprintf("ParseDevice(%q)", device), hiddenApart(err, device), bad)
	}
}

func TestHiddenVisibleDevices(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		order, present := rng.Perm(6), rng.IntN(7) // no index twice
		var indices []string
		for _, id := range order[:rng.IntN(7)] {
			indices = append(indices, hiddenPick(rng, fmt.Sprint(id), fmt.Sprint(id), fmt.Sprint(id), fmt.Sprint(id), "-1", "x"))
		}
		env, set := strings.Join(indices, ","), rng.IntN(5) > 0
		check.Equal(t, fmt.Sprintf("VisibleDevices(%q, %t, %d)", env, set, present), learner.VisibleDevices(env, set, present), reference.VisibleDevices(env, set, present), check.Exact)
	}
}

// hiddenSMI draws what nvidia-smi prints, a line each.
func hiddenSMI(rng *rand.Rand) []string {
	lines := []string{"index, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]"}
	for _, index := range rng.Perm(9)[:1+rng.IntN(5)] {
		total, used := hiddenPick(rng, "16000 MiB", "24000 MiB", "24000 MiB", "[N/A]"), hiddenPick(rng, "0 MiB", "8000 MiB", fmt.Sprintf("%d MiB", rng.IntN(16000)), "[N/A]", "[Not Supported]")
		lines = append(lines, fmt.Sprintf("%d, NVIDIA %s, %s, %s, %s", index, hiddenPick(rng, "L4", "A100-SXM4-40GB", "GeForce RTX 3090"), total, used, hiddenPick(rng, "0 %", "97 %", "[N/A]", "[Not Supported]")))
	}
	return lines
}

func TestHiddenParseSMI(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 150 {
		lines := hiddenSMI(rng)
		text := strings.Join(lines, "\n") + "\n"
		got, err := learner.ParseSMI(strings.NewReader(text))
		want, wantErr := reference.ParseSMI(strings.NewReader(text))
		hiddenAgree(t, fmt.Sprintf("ParseSMI(%q)", text), fmt.Sprintf("%+v", got), err, fmt.Sprintf("%+v", want), wantErr)

		// One cell too few or too many, or one that is no number of its unit.
		at := 1 + rng.IntN(len(lines)-1)
		cells := strings.Split(lines[at], ", ")
		switch column := 2 + rng.IntN(3); rng.IntN(5) {
		case 0:
			cells = cells[:4]
		case 1:
			cells = append(cells, "1 %")
		case 2:
			cells[0] = hiddenPick(rng, "x", "-1", "", "1.5")
		default:
			cells[column] = hiddenPick(rng, "1 GiB", "MiB", "", "17", "3 %%", "-5 MiB", "1e3 MiB", "[n/a]", "12 K", "412MiB", "412  MiB", "3  %", "3%")
		}
		bad := append([]string{}, lines...)
		bad[at] = strings.Join(cells, ", ")
		text = strings.Join(bad, "\n") + "\n"
		_, err = learner.ParseSMI(strings.NewReader(text))
		check.Fails(t, fmt.Sprintf("ParseSMI(%q)", text), err, fmt.Sprintf("line %d", at+1))
		text = strings.Join(lines[1:], "\n")
		_, err = learner.ParseSMI(strings.NewReader(text))
		check.Fails(t, fmt.Sprintf("ParseSMI(%q)", text), err, "line 1")
		text = strings.Join(lines, "\n") + "\n"
		_, err = learner.ParseSMI(io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("the pipe broke"))))
		check.Fails(t, fmt.Sprintf("ParseSMI of a reader that fails behind %q", text), err)
		header := strings.Split(lines[0], ", ")
		header[rng.IntN(5)] += hiddenPick(rng, "s", " [%]", "_")
		text = strings.Join(header, ", ") + "\n" + strings.Join(lines[1:], "\n")
		_, err = learner.ParseSMI(strings.NewReader(text))
		check.Fails(t, fmt.Sprintf("ParseSMI(%q)", text), err, "line 1")

		var gpus []learner.GPU
		var same []reference.GPU
		for _, index := range rng.Perm(9)[:rng.IntN(6)] {
			g := reference.GPU{Index: index, Name: "L4", TotalMiB: hiddenPick(rng, 16000, 24000, 24000, -1), UsedMiB: hiddenPick(rng, 0, 8000, 8000, 15000, -1), Utilization: hiddenPick(rng, -1, 0, 97)}
			gpus, same = append(gpus, learner.GPU(g)), append(same, g)
		}
		need := 4000 * rng.IntN(8)
		passed := check.Copy(gpus)
		id, err := learner.FreeGPU(passed, need)
		check.Equal(t, "the GPUs after FreeGPU", passed, gpus, check.Exact)
		wantID, wantErr := reference.FreeGPU(same, need)
		call := fmt.Sprintf("FreeGPU(%+v, %d)", same, need)
		if wantErr != nil {
			check.Fails(t, call, err, fmt.Sprint(need))
		} else {
			hiddenAgree(t, call, id, err, wantID, nil)
		}
	}
}

func TestHiddenHosts(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		var names []string
		for range 1 + rng.IntN(3) {
			lo := hiddenPick(rng, rng.IntN(110), rng.IntN(110), 95, 990) // over a power of ten, too
			ranges := fmt.Sprintf("%0*d-%d", rng.IntN(4), lo, lo+rng.IntN(12)-hiddenPick(rng, 0, 0, 1))
			names = append(names, hiddenPick(rng, "login", "n["+ranges+"]", "n["+ranges+",7]-ib", "r1-["+ranges+",003]", "a.b_c", hiddenPick(rng, "", "n[", "n]", "n[1]x[2]", "n[1-99999]", "n[x]", "n[]", "n[1,]", "n m", "n[1 -2]", "n[ 1]")))
		}
		list := strings.Join(names, ",")
		hosts, err := learner.ExpandHosts(list)
		wantHosts, wantErr := reference.ExpandHosts(list)
		hiddenAgree(t, fmt.Sprintf("ExpandHosts(%q)", list), hosts, err, wantHosts, wantErr)
		if wantErr != nil {
			continue
		}
		port, task := hiddenPick(rng, 1+rng.IntN(65535), 0, -1-rng.IntN(9), 65536+rng.IntN(9), 2222, 2222), rng.IntN(len(wantHosts)+2)-1
		workers := check.Copy(wantHosts)
		if rng.IntN(6) == 0 {
			workers[rng.IntN(len(workers))] = ""
		}
		call := fmt.Sprintf("TFConfig(%q, %d, %d)", workers, port, task)
		text, err := learner.TFConfig(check.Copy(workers), port, task)
		wantText, wantErr := reference.TFConfig(workers, port, task)
		hiddenAgree(t, call, nil, err, nil, wantErr)
		if wantErr == nil && err == nil {
			require.JSONEq(t, string(wantText), string(text), call)
		}
		_, err = learner.TFConfig(nil, 2222, rng.IntN(3))
		check.Fails(t, "TFConfig of no hosts", err)
	}
	// As many hosts as a list may name, one more, and names as long as they may be.
	first := rng.IntN(1000)
	for _, list := range []string{
		fmt.Sprintf("n[%d-%d]", first, first+reference.MaxHosts-1), fmt.Sprintf("n[%d-%d]", first, first+reference.MaxHosts), fmt.Sprintf("n[%d-%d],login", first, first+reference.MaxHosts-1),
		strings.Repeat("n", reference.MaxName), strings.Repeat("n", reference.MaxName+1), strings.Repeat("n", reference.MaxName-4) + "[1000-1002]", strings.Repeat("n", reference.MaxName-3) + "[998-1002]",
		fmt.Sprintf("a[%d-%d],b[1-%d]", first, first+reference.MaxHosts/2, reference.MaxHosts/2), fmt.Sprintf("n[%d-%d,7-%d]", first, first+reference.MaxHosts/2, 6+reference.MaxHosts/2),
		"n[2147483645-2147483647]", strings.Repeat("n", reference.MaxName-5) + "[7-9]-ibm", strings.Repeat("n", reference.MaxName-5) + "[7-9]-ibmx",
	} {
		hosts, err := learner.ExpandHosts(list)
		want, wantErr := reference.ExpandHosts(list)
		hiddenAgree(t, fmt.Sprintf("ExpandHosts(%.20q…)", list), strings.Join(hosts, ","), err, strings.Join(want, ","), wantErr)
	}
}

func TestHiddenBreakEven(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 150 {
		a, b, step, limit := rng.Float64(), rng.Float64()*20, 1+rng.IntN(9), rng.IntN(80)
		flops := func(n int) float64 { return float64(n) * (1 + a*float64(n)) }
		bytes := func(n int) float64 { return b * float64((n+step-1)/step*step) }
		switch rng.IntN(3) {
		case 0: // it pays here and there
			pays := rng.Perm(90)[:rng.IntN(4)]
			bytes = func(n int) float64 {
				for _, p := range pays {
					if n == p {
						return 0
					}
				}
				return 1e9
			}
		case 1: // the larger, the less there is to move
			bytes = func(n int) float64 { return 1000 * b / float64(n*n) }
		}
		n, ok := learner.BreakEven(flops, bytes, 1, 1+8*a, 2, limit)
		wantN, wantOK := reference.BreakEven(flops, bytes, 1, 1+8*a, 2, limit)
		call := fmt.Sprintf("BreakEven up to %d", limit)
		check.Equal(t, call+" ok", ok, wantOK, check.Exact)
		if wantOK {
			check.Equal(t, call, n, wantN, check.Exact)
		}
		// The same time on both, but for one size.
		sooner := 1 + rng.IntN(90)
		n, ok = learner.BreakEven(func(n int) float64 { return 4 * float64(n) }, func(n int) float64 {
			if n == sooner {
				return 2*float64(n) - 1
			}
			return 2 * float64(n)
		}, 1, 2, 1, 60)
		check.Equal(t, fmt.Sprintf("BreakEven where only %d pays, of up to 60, is ok", sooner), ok, sooner <= 60, check.Exact)
		if sooner <= 60 {
			check.Equal(t, "BreakEven where only one size pays", n, sooner, check.Exact)
		}
		rates := []float64{1 + a, 1 + b, 2}
		rates[rng.IntN(3)] = hiddenPick(rng, 0, -a-0.1, math.NaN(), math.Inf(-1))
		check.Panics(t, fmt.Sprintf("BreakEven with the rates %v", rates), func() { learner.BreakEven(flops, bytes, rates[0], rates[1], rates[2], limit) })
	}
}
