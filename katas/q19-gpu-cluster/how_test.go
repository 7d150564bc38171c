package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	cluster "whyhow/katas/q19-gpu-cluster"
)

// mistake is a result that a plausible error gives, and what the error was.
type mistake[T any] struct {
	value T
	says  string
}

// named turns the mistakes that show in this case into options: those that differ from want and from the ones before.
func named[T any](want T, mistakes ...mistake[T]) []check.Option {
	var opts []check.Option
	seen := map[string]bool{fmt.Sprint(want): true}
	for _, m := range mistakes {
		if key := fmt.Sprint(m.value); !seen[key] {
			seen[key] = true
			opts = append(opts, check.Mistake(m.value, m.says))
		}
	}
	return opts
}

// sheet collects cases of one function, so that a mistake is named only where it explains the answers to all.
type sheet[T any] struct {
	got, want map[string]T
	slips     []slipOf[T]
}

// slipOf is a mistake and what it makes of those cases that it was given for; it leaves the others right.
type slipOf[T any] struct {
	says  string
	wrong map[string]T
}

// add adds a case, and what mistakes make of it. Several that say the same are told apart by their order.
func (s *sheet[T]) add(call string, got, want T, mistakes ...mistake[T]) {
	if s.got == nil {
		s.got, s.want = map[string]T{}, map[string]T{}
	}
	s.got[call], s.want[call] = got, want
	for _, m := range mistakes {
		k := slices.IndexFunc(s.slips, func(o slipOf[T]) bool {
			_, given := o.wrong[call]
			return o.says == m.says && !given
		})
		if k < 0 {
			k, s.slips = len(s.slips), append(s.slips, slipOf[T]{m.says, map[string]T{}})
		}
		s.slips[k].wrong[call] = m.value
	}
}

// check compares all cases at once.
func (s *sheet[T]) check(t *testing.T, what, why string) bool {
	t.Helper()
	var mistakes []mistake[map[string]T]
	for _, slip := range s.slips {
		wrong := maps.Clone(s.want)
		maps.Copy(wrong, slip.wrong)
		mistakes = append(mistakes, mistake[map[string]T]{wrong, slip.says})
	}
	return check.Equal(t, what, s.got, s.want, check.Exact, append(named(s.want, mistakes...), check.Why(why))...)
}

func TestLocate(t *testing.T) {
	defer check.Rescue(t)
	var located sheet[[]int]
	for _, c := range []struct{ rank, gpus, node, local int }{{0, 4, 0, 0}, {3, 4, 0, 3}, {5, 4, 1, 1}, {7, 2, 3, 1}, {4, 3, 1, 1}, {11, 4, 2, 3}, {8, 5, 1, 3}, {5, 1, 5, 0}} {
		node, local := cluster.Locate(c.rank, c.gpus)
		located.add(fmt.Sprintf("Locate(%d, %d)", c.rank, c.gpus), []int{node, local}, []int{c.node, c.local},
			mistake[[]int]{[]int{c.local, c.node}, "you exchanged node and local: node is how many full nodes come before the rank"},
			mistake[[]int]{[]int{c.node, c.rank}, "you took the global rank for the local one: on every node local starts from 0 again"},
			mistake[[]int]{[]int{c.node, c.node}, "you divided for both: local is what the division leaves over"},
			mistake[[]int]{[]int{c.rank % c.gpus, c.rank % c.gpus}, "you took what the division leaves over for both"})
	}
	located.check(t, "node and local of a rank", "ranks are numbered node by node")
	check.Panics(t, "Locate(-1, 4)", func() { cluster.Locate(-1, 4) })
	check.Panics(t, "Locate(3, 0)", func() { cluster.Locate(3, 0) })
	check.Panics(t, "Locate(3, -2)", func() { cluster.Locate(3, -2) })
	check.Independent(t, "Locate(rank, gpusPerNode)", cluster.Locate, check.Args{11, 4}, check.Args{17, 3})

	var batches sheet[int]
	for _, c := range []struct{ perDevice, world, accumulation, want int }{{32, 4, 3, 384}, {8, 6, 5, 240}, {1, 7, 2, 14}, {3, 1, 2, 6}, {5, 2, 1, 10}} {
		batches.add(fmt.Sprintf("EffectiveBatch(%d, %d, %d)", c.perDevice, c.world, c.accumulation), cluster.EffectiveBatch(c.perDevice, c.world, c.accumulation), c.want,
			mistake[int]{c.perDevice * c.world, "you left accumulation out: the optimiser steps once after so many batches"},
			mistake[int]{c.perDevice * c.accumulation, "you left the ranks out: their gradients are averaged into the same step"})
	}
	batches.check(t, "the effective batches", "every rank adds up its accumulated batches before the step")
	const large = 1 << 32
	check.Equal(t, "EffectiveBatch(4096, 2048, 512)", cluster.EffectiveBatch(4096, 2048, 512), large, check.Exact,
		check.Mistake(0, "you multiplied in 32 bits"))
	check.Panics(t, "EffectiveBatch(32, 0, 1)", func() { cluster.EffectiveBatch(32, 0, 1) })
	check.Panics(t, "EffectiveBatch(0, 4, 1)", func() { cluster.EffectiveBatch(0, 4, 1) })
	check.Panics(t, "EffectiveBatch(32, 4, -1)", func() { cluster.EffectiveBatch(32, 4, -1) })
	check.Panics(t, "EffectiveBatch(32, 4, 0)", func() { cluster.EffectiveBatch(32, 4, 0) })
	check.Panics(t, "EffectiveBatch(-32, 4, 1)", func() { cluster.EffectiveBatch(-32, 4, 1) })
	check.Panics(t, "EffectiveBatch(32, -4, 1)", func() { cluster.EffectiveBatch(32, -4, 1) })
	check.Panics(t, "EffectiveBatch(-32, -4, 1)", func() { cluster.EffectiveBatch(-32, -4, 1) })
	check.Independent(t, "EffectiveBatch(perDevice, world, accumulation)", cluster.EffectiveBatch, check.Args{32, 4, 3}, check.Args{16, 5, 2})
}

func TestShardIndices(t *testing.T) {
	defer check.Rescue(t)
	type shardCase struct {
		N, World int
		DropLast bool
		Ranks    [][]int
	}
	t.Run("shards", func(t *testing.T) {
		defer check.Rescue(t)
		var shards sheet[[]int]
		for _, c := range check.Golden[shardCase](t, "shards") {
			for rank, want := range c.Ranks {
				shard := func(length int, at func(i int) int) []int {
					s := []int{}
					for i := range length {
						s = append(s, at(i))
					}
					return s
				}
				stride := func(i int) int { return rank + i*c.World }
				mistakes := []mistake[[]int]{
					{shard((c.N-rank+c.World-1)/c.World, stride), "you gave the ranks shards of different lengths: the next collective call would hang"},
				}
				if c.DropLast {
					mistakes = append(mistakes, mistake[[]int]{
						shard((c.N+c.World-1)/c.World, func(i int) int { return stride(i) % max(c.N, 1) }),
						"you filled up where dropLast asks to leave the tail out",
					})
				} else {
					mistakes = append(
						mistakes,
						mistake[[]int]{shard(c.N/c.World, stride), "you dropped the tail without being asked: some examples would never be read"},
						mistake[[]int]{shard(len(want), func(i int) int { return min(stride(i), c.N-1) }), "you filled up with the last example: the examples start again from 0"},
						mistake[[]int]{shard(len(want), stride), "you ran past the last example: the examples start again from 0"},
						mistake[[]int]{
							shard(len(want), func(i int) int {
								if stride(i) >= c.N {
									return stride(i) - c.N
								}
								return stride(i)
							}),
							"you started again only once: with n < world the examples go round several times",
						},
					)
				}
				mistakes = append(
					mistakes,
					mistake[[]int]{shard(len(want), func(i int) int { return rank*len(want) + i }), "you dealt blocks: a rank reads every world-th example, from its rank on"},
					mistake[[]int]{shard(len(want), func(i int) int { return (rank*len(want) + i) % max(c.N, 1) }), "you dealt blocks: a rank reads every world-th example, from its rank on"},
				)
				shards.add(fmt.Sprintf("ShardIndices(%d, %d, %d, %t)", c.N, c.World, rank, c.DropLast), slices.Concat([]int{}, cluster.ShardIndices(c.N, c.World, rank, c.DropLast)),
					slices.Concat([]int{}, want), mistakes...)
			}
		}
		shards.check(t, "the shards", "PyTorch's DistributedSampler gives these")
	})
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "ShardIndices(10, 4, 4, false)", func() { cluster.ShardIndices(10, 4, 4, false) })
		check.Panics(t, "ShardIndices(10, 4, -1, false)", func() { cluster.ShardIndices(10, 4, -1, false) })
		check.Panics(t, "ShardIndices(10, 0, 0, false)", func() { cluster.ShardIndices(10, 0, 0, false) })
		check.Panics(t, "ShardIndices(10, -4, 0, false)", func() { cluster.ShardIndices(10, -4, 0, false) })
		check.Panics(t, "ShardIndices(-1, 4, 0, false)", func() { cluster.ShardIndices(-1, 4, 0, false) })
	})
	check.Independent(t, "ShardIndices(n, world, rank, dropLast)", cluster.ShardIndices, check.Args{10, 4, 1, false}, check.Args{14, 3, 2, true})
}

func TestParseDevice(t *testing.T) {
	defer check.Rescue(t)
	type device = cluster.Device
	const (
		zero  = "you left what the string does not name at 0: unset is −1, 0 is the first"
		as    = "you kept the kind's letters as they are: Kind is upper-case"
		turns = "you exchanged replica and task"
	)
	zeros := strings.Repeat("0", 30) // leading zeros do not change a number, however many
	var devices sheet[device]
	for _, c := range []struct {
		s        string
		want     device
		mistakes []mistake[device]
	}{
		{"/job:worker/replica:0/task:1/device:GPU:0", device{"worker", 0, 1, "GPU", 0}, []mistake[device]{{device{"worker", 1, 0, "GPU", 0}, turns}}},
		{"/task:12/job:ps/device:CPU:3", device{"ps", -1, 12, "CPU", 3}, []mistake[device]{{device{"ps", 0, 12, "CPU", 3}, zero}, {device{"ps", 12, -1, "CPU", 3}, turns}}},
		{"/device:GPU:*", device{"", -1, -1, "GPU", -1}, []mistake[device]{{device{"", -1, -1, "GPU", 0}, "you read * as 0: it leaves the index open"}, {device{"", 0, 0, "GPU", -1}, zero}}},
		{"GPU:2", device{"", -1, -1, "GPU", 2}, []mistake[device]{{device{"", 0, 0, "GPU", 2}, zero}}},
		{"/job:worker/gpu:1", device{"worker", -1, -1, "GPU", 1}, []mistake[device]{{device{"worker", -1, -1, "gpu", 1}, as}, {device{"worker", 0, 0, "GPU", 1}, zero}}},
		{"/device:cpu:0", device{"", -1, -1, "CPU", 0}, []mistake[device]{{device{"", -1, -1, "cpu", 0}, as}, {device{"", 0, 0, "CPU", 0}, zero}}},
		{"/TPU", device{"", -1, -1, "TPU", -1}, []mistake[device]{{device{"", -1, -1, "TPU", 0}, "you gave a kind without an index the index 0: it is left open"}, {device{"", 0, 0, "TPU", -1}, zero}}},
		{"", device{"", -1, -1, "", -1}, []mistake[device]{{device{"", 0, 0, "", -1}, zero}}},
		{"//GPU:*/job:a//", device{"a", -1, -1, "GPU", -1}, []mistake[device]{{device{"a", -1, -1, "GPU", 0}, "you read * as 0: it leaves the index open"}, {device{"a", 0, 0, "GPU", -1}, zero}}},
		{"job:a//task:2", device{"a", -1, 2, "", -1}, []mistake[device]{{device{"a", -1, -1, "", -1}, "you stopped at an empty piece: it is skipped"}, {device{"a", 2, -1, "", -1}, turns}, {device{"a", 0, 2, "", -1}, zero}}},
		{"replica:4/Tpu:0", device{"", 4, -1, "TPU", 0}, []mistake[device]{{device{"", -1, 4, "TPU", 0}, turns}, {device{"", 4, -1, "Tpu", 0}, as}, {device{"", 4, 0, "TPU", 0}, zero}}},
		{"job: Ps *é /GPU", device{" Ps *é ", -1, -1, "GPU", -1}, []mistake[device]{
			{device{"Ps *é", -1, -1, "GPU", -1}, "you cut the spaces of a job's name off: a name is any text"},
			{device{" ps *é ", -1, -1, "GPU", -1}, "you changed the letters of a job's name: it is as the string has it"},
			{device{" PS *É ", -1, -1, "GPU", -1}, "you changed the letters of a job's name: it is as the string has it"},
			{device{" Ps *é ", 0, 0, "GPU", -1}, zero},
		}},
		{"task:" + zeros + "10/CPU:" + zeros + "7", device{"", -1, 10, "CPU", 7}, []mistake[device]{{device{"", 10, -1, "CPU", 7}, turns}, {device{"", 0, 10, "CPU", 7}, zero}, {device{"", -1, 8, "CPU", 7}, anyBase}}},
		{"/replica:011/task:010/GPU:012", device{"", 11, 10, "GPU", 12}, []mistake[device]{{device{"", 9, 8, "GPU", 10}, anyBase}, {device{"", 10, 11, "GPU", 12}, turns}}},
	} {
		got, err := cluster.ParseDevice(c.s)
		require.NoError(t, err, "ParseDevice(%q)", c.s)
		devices.add(fmt.Sprintf("ParseDevice(%q)", c.s), got, c.want, c.mistakes...)
	}
	devices.check(t, "the devices", "what the string leaves open is −1 or \"\"")
	refusesDevices(t)
	check.Independent(t, "ParseDevice(s)", cluster.ParseDevice, check.Args{"/job:worker/task:1/device:GPU:0"}, check.Args{"/job:ps/replica:2/CPU:3"})
}

func TestVisibleDevices(t *testing.T) {
	defer check.Rescue(t)
	var visible sheet[[]int]
	for _, c := range []struct {
		env     string
		set     bool
		present int
		want    []int
	}{
		{"2,1", true, 4, []int{2, 1}},
		{"", false, 3, []int{0, 1, 2}},
		{"", true, 3, nil},
		{"0,2,-1,1", true, 4, []int{0, 2}}, // the CUDA Programming Guide's own example
		{"3,7,0", true, 4, []int{3}},
		{"-1", true, 2, nil},
		{"4,0", true, 4, nil},
		{"3", true, 8, []int{3}},
		{"1,none,0", true, 2, []int{1}},
		{"1,,0", true, 2, []int{1}},
		{"0", true, 1, []int{0}},
		{"0", true, 0, nil},
		{"", false, 0, nil},
		{"1,2", true, 2, []int{1}},
		{"010,07,2", true, 12, []int{10, 7, 2}},
		{strings.Repeat("0", 30) + "3,1", true, 4, []int{3, 1}},
		{"all", true, 3, nil},
		{"7,6,5,4,3,2,1,0", true, 8, []int{7, 6, 5, 4, 3, 2, 1, 0}},
	} {
		var skipped, logical, all []int
		for i := range c.present {
			all = append(all, i)
		}
		for _, piece := range strings.Split(c.env, ",") {
			if id, err := strconv.ParseUint(piece, 10, 31); c.set && err == nil && int(id) < c.present {
				skipped = append(skipped, int(id))
			}
		}
		if !c.set {
			skipped = c.want
		}
		ascending := slices.Sorted(slices.Values(c.want))
		for i := range c.want {
			logical = append(logical, i)
		}
		beyond := []int{}
		for _, piece := range strings.Split(c.env, ",") {
			var id int
			if n, _ := fmt.Sscan(piece, &id); n == 1 && id >= 0 {
				beyond = append(beyond, id)
			} else {
				break
			}
		}
		var unset []int
		if c.env != "" {
			unset = c.want
		}
		mistakes := []mistake[[]int]{
			{skipped, "you skipped a bad index and read on: only those before it are visible"},
			{ascending, "you sorted: the process numbers its devices in the order of the list"},
			{beyond, "you did not stop at an index that the machine has not"},
			{logical, "you returned the process's own numbers: result[i] is the physical index of its device i"},
		}
		const open = "you took set to nothing for not set: \"\" and a bad first index hide every GPU"
		switch {
		case !c.set:
			mistakes = append(mistakes, mistake[[]int]{unset, "you took not set for set to \"\": without the variable every GPU is visible"})
		case c.env == "":
			mistakes = append(mistakes, mistake[[]int]{all, open}, mistake[[]int]{all, open})
		case len(c.want) == 0:
			mistakes = append(mistakes, mistake[[]int]{c.want, open}, mistake[[]int]{all, open})
		}
		visible.add(fmt.Sprintf("VisibleDevices(%q, %t, %d)", c.env, c.set, c.present), cluster.VisibleDevices(c.env, c.set, c.present), c.want, mistakes...)
	}
	visible.check(t, "the visible GPUs", "the CUDA Programming Guide says so of CUDA_VISIBLE_DEVICES")
	endsVisible(t)
	check.Independent(t, "VisibleDevices(env, set, present)", cluster.VisibleDevices, check.Args{"2,1", true, 4}, check.Args{"0,1", false, 2})
}

const header = "index, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]\n"

func TestParseSMI(t *testing.T) {
	defer check.Rescue(t)
	t.Run("rows", func(t *testing.T) {
		defer check.Rescue(t)
		text := header + "0, NVIDIA RTX A6000, 49140 MiB, 15 MiB, 0 %\n" +
			"1, Tesla V100-SXM2-32GB, 32768 MiB, 13928 MiB, 100 %\n" +
			"3, NVIDIA H100 PCIe, 81559 MiB, 10 MiB, [N/A]\n" +
			"4, GRID K1, [Not Supported], [N/A], [Not Supported]\n" +
			"010, K80, 011 MiB, 0 MiB, 012 %\n" +
			strings.Repeat("0", 30) + "11, K80, " + strings.Repeat("0", 30) + "12 MiB, 0 MiB, 0 %\n"
		want := []cluster.GPU{
			{0, "NVIDIA RTX A6000", 49140, 15, 0},
			{1, "Tesla V100-SXM2-32GB", 32768, 13928, 100},
			{3, "NVIDIA H100 PCIe", 81559, 10, -1},
			{4, "GRID K1", -1, -1, -1},
			{10, "K80", 11, 0, 12},
			{11, "K80", 12, 0, 0},
		}
		variant := func(change func(i int, g *cluster.GPU)) []cluster.GPU {
			out := check.Copy(want)
			for i := range out {
				change(i, &out[i])
			}
			return out
		}
		got, err := cluster.ParseSMI(strings.NewReader(text))
		require.NoError(t, err, "ParseSMI of\n%s", text)
		check.Equal(t, "ParseSMI of 6 GPUs", got, want, check.Exact, check.With("text", text),
			check.Why("columns as the header names them, [N/A] and [Not Supported] as −1"),
			check.Mistake(variant(func(i int, g *cluster.GPU) { g.Index = i }), "you counted the rows: the index is in the first column, and GPUs may be missing"),
			check.Mistake(variant(func(_ int, g *cluster.GPU) {
				g.TotalMiB, g.UsedMiB, g.Utilization = max(g.TotalMiB, 0), max(g.UsedMiB, 0), max(g.Utilization, 0)
			}), "you read an unreported number as 0: the GPU then looks idle, or without memory"),
			check.Mistake(variant(func(_ int, g *cluster.GPU) { g.TotalMiB, g.UsedMiB = g.UsedMiB, g.TotalMiB }), "you exchanged the columns memory.total and memory.used"),
			check.Mistake(variant(func(i int, g *cluster.GPU) {
				if i == 4 {
					g.Index, g.TotalMiB, g.Utilization = 8, 9, 10
				}
				if i == 5 {
					g.Index, g.TotalMiB = 9, 10
				}
			}), anyBase),
			check.Mistake(variant(func(_ int, g *cluster.GPU) { g.Name = " " + g.Name }), "you kept the space after the comma"))

		got, err = cluster.ParseSMI(strings.NewReader(header))
		require.NoError(t, err, "ParseSMI of a header alone")
		check.Equal(t, "ParseSMI of a header alone", got, []cluster.GPU(nil), check.Exact)
	})
	t.Run("bad rows", func(t *testing.T) {
		defer check.Rescue(t)
		refusesSMI(t)
		for _, read := range []string{header, header + "0, NVIDIA L4, 23034 MiB, 412 MiB, 3 %\n"} {
			_, err := cluster.ParseSMI(io.MultiReader(strings.NewReader(read), iotest.ErrReader(errors.New("the pipe broke"))))
			if !check.Fails(t, fmt.Sprintf("ParseSMI of a reader that gives %q and then an error", read), err) {
				return
			}
		}
	})
	t.Run("FreeGPU", func(t *testing.T) {
		defer check.Rescue(t)
		freeGPU(t)
	})
	parse := func(text string) ([]cluster.GPU, error) { return cluster.ParseSMI(strings.NewReader(text)) }
	check.Independent(t, "ParseSMI(text)", parse,
		check.Args{header + "0, NVIDIA L4, 23034 MiB, 412 MiB, 3 %\n1, NVIDIA L4, 23034 MiB, 0 MiB, 0 %\n"},
		check.Args{header + "2, NVIDIA A100, 40960 MiB, 10 MiB, 7 %\n3, NVIDIA A100, 40960 MiB, [N/A], 0 %\n"})
	check.Independent(t, "FreeGPU(gpus, needMiB)", cluster.FreeGPU,
		check.Args{[]cluster.GPU{{3, "a", 100, 50, 0}, {1, "b", 100, 20, 0}}, 60}, check.Args{[]cluster.GPU{{5, "c", 90, 20, 0}, {4, "d", 90, 90, 0}}, 85})
}

// freeGPU asks several lists of GPUs at once: the answers are few small numbers, and a mistake is known by all of them.
func freeGPU(t *testing.T) {
	t.Helper()
	tied := []cluster.GPU{ // 30000 MiB free: 2 is the lowest index, 9 the highest; 4 uses least, 7 has most in all, 5 is the least busy
		{4, "d", 32000, 2000, 50}, {7, "g", 80000, 50000, 70}, {2, "b", 60000, 30000, 90}, {9, "i", 40000, 10000, 60}, {5, "e", 50000, 20000, 5},
	}
	small, less := cluster.GPU{8, "a", 8000, 100, 0}, cluster.GPU{1, "e", 41000, 21000, 0}
	unused, unknown := cluster.GPU{11, "n", 99000, -1, -1}, cluster.GPU{6, "m", -1, 0, 0}
	const none = -1
	lists, want := map[string][]cluster.GPU{}, map[string]int{}
	add := func(name string, id int, gpus ...cluster.GPU) { lists[name], want[name] = gpus, id }
	add("five of seven have 30000 MiB", 2, slices.Concat([]cluster.GPU{unknown, less}, tied, []cluster.GPU{small, unused})...)
	add("the same in another order", 2, slices.Concat([]cluster.GPU{small, less}, tied[2:], []cluster.GPU{unused}, tied[:2], []cluster.GPU{unknown})...)
	add("1 has 20000 MiB", 1, small, unused, less)
	add("1 has 20000 MiB, 12 most in all", 1, less, cluster.GPU{12, "p", 90000, 80000, 0}, small)
	add("13 has 20000 MiB, and is as busy as nobody knows", 13, small, cluster.GPU{13, "q", 24000, 4000, -1})
	add("8 has 7900 MiB", 8, unused, small, unknown)
	add("3 has all its 8000 MiB, 8 has 7900", 3, small, cluster.GPU{3, "z", 8000, 0, 100})
	add("5 is the only one, and full", 5, cluster.GPU{5, "f", 8000, 8000, 100})
	add("0 is the only one, and has 0 MiB", 0, cluster.GPU{0, "o", 0, 0, 0})
	got := map[string]int{}
	for name, gpus := range lists {
		id, err := cluster.FreeGPU(check.Copy(gpus), 0)
		if err != nil {
			id = none
		}
		got[name] = id
	}
	// chosen is what a choice gives for each list: the first GPU that counts and that no other beats.
	chosen := func(counts func(g cluster.GPU) bool, beats func(g, best cluster.GPU) bool, result func(at int, g cluster.GPU) int) map[string]int {
		all := map[string]int{}
		for name, gpus := range lists {
			all[name] = none
			var best cluster.GPU
			for i, g := range gpus {
				if counts(g) && (all[name] == none || beats(g, best)) {
					best, all[name] = g, result(i, g)
				}
			}
		}
		return all
	}
	reported := func(g cluster.GPU) bool { return g.TotalMiB >= 0 && g.UsedMiB >= 0 }
	index := func(_ int, g cluster.GPU) int { return g.Index }
	free := func(g cluster.GPU) int { return g.TotalMiB - g.UsedMiB }
	then := func(tie func(g, best cluster.GPU) bool) func(g, best cluster.GPU) bool {
		return func(g, best cluster.GPU) bool { return free(g) > free(best) || free(g) == free(best) && tie(g, best) }
	}
	lower := func(g, best cluster.GPU) bool { return g.Index < best.Index }
	check.Equal(t, "FreeGPU(gpus, 0), −1 for an error, of several lists", got, want, check.Exact, append(named(want,
		mistake[map[string]int]{chosen(reported, then(func(_, _ cluster.GPU) bool { return false }), index), "you took the first in the list at a tie: the lowest index wins"},
		mistake[map[string]int]{chosen(reported, then(func(_, _ cluster.GPU) bool { return true }), index), "you took the last at a tie: the lowest index wins"},
		mistake[map[string]int]{chosen(reported, then(func(g, best cluster.GPU) bool { return g.Index > best.Index }), index), "you took the highest index at a tie: the lowest wins"},
		mistake[map[string]int]{chosen(reported, then(func(g, best cluster.GPU) bool { return g.Utilization < best.Utilization }), index), "you let the utilisation break a tie: the lowest index wins"},
		mistake[map[string]int]{chosen(reported, then(func(g, best cluster.GPU) bool { return g.UsedMiB < best.UsedMiB }), index), "you let what is used break a tie: the lowest index wins"},
		mistake[map[string]int]{chosen(reported, then(func(g, best cluster.GPU) bool { return g.TotalMiB > best.TotalMiB }), index), "you let the total break a tie: the lowest index wins"},
		mistake[map[string]int]{chosen(reported, then(lower), func(at int, _ cluster.GPU) int { return at }), "you returned the position in gpus: what is asked for is the Index of that GPU"},
		mistake[map[string]int]{chosen(reported, func(g, best cluster.GPU) bool {
			return g.UsedMiB < best.UsedMiB || g.UsedMiB == best.UsedMiB && lower(g, best)
		}, index), "you compared what is used: a GPU is chosen by what is free, total − used"},
		mistake[map[string]int]{chosen(reported, func(g, best cluster.GPU) bool { return g.UsedMiB < best.UsedMiB }, index), "you compared what is used: a GPU is chosen by what is free, total − used"},
		mistake[map[string]int]{chosen(reported, func(g, best cluster.GPU) bool {
			return g.TotalMiB > best.TotalMiB || g.TotalMiB == best.TotalMiB && lower(g, best)
		}, index), "you compared the totals: a GPU is chosen by what is free, total − used"},
		mistake[map[string]int]{chosen(reported, func(g, best cluster.GPU) bool { return g.TotalMiB > best.TotalMiB }, index), "you compared the totals: a GPU is chosen by what is free, total − used"},
		mistake[map[string]int]{chosen(reported, func(g, best cluster.GPU) bool { return g.Utilization < best.Utilization }, index), "you compared utilisations: a GPU is chosen by what is free, total − used"},
		mistake[map[string]int]{chosen(func(cluster.GPU) bool { return true }, then(lower), index), "you counted unreported memory, −1, as a number"},
		mistake[map[string]int]{chosen(func(g cluster.GPU) bool { return g.TotalMiB >= 0 }, then(lower), index), "you counted used memory that is not reported, −1, as a number"},
		mistake[map[string]int]{chosen(func(g cluster.GPU) bool { return g.TotalMiB > 0 && g.UsedMiB > 0 }, then(lower), index), "you took 0 for not reported: that is −1"},
		mistake[map[string]int]{
			chosen(func(g cluster.GPU) bool { return reported(g) && g.Utilization >= 0 }, then(lower), index),
			"you left out a GPU whose utilisation is not reported: it is its memory that must be known",
		}),
		check.Why("most free memory, then the lowest index"))...)

	all := slices.Concat(tied, []cluster.GPU{small, less, unused, unknown})
	fails := map[string]bool{}
	for name, c := range map[string]struct {
		gpus []cluster.GPU
		need int
	}{
		"30000 MiB of 30000": {all, 30000}, "30001 MiB of 30000": {all, 30001}, "500 MiB of none that is reported": {all[7:], 500}, "0 MiB of none that is reported": {all[7:], 0},
		"0 MiB of no GPU": {nil, 0}, "1 MiB of 0": {[]cluster.GPU{{5, "f", 8000, 8000, 100}}, 1}, "8000 MiB of 8000": {[]cluster.GPU{{3, "z", 8000, 0, 100}}, 8000},
		"9000 MiB of 8000": {[]cluster.GPU{{3, "z", 8000, 0, 100}}, 9000},
	} {
		_, err := cluster.FreeGPU(c.gpus, c.need)
		fails[name] = err != nil
		if err != nil {
			check.Fails(t, "FreeGPU, asked for "+name+",", err, fmt.Sprint(c.need))
		}
	}
	check.Equal(t, "FreeGPU returns an error when asked for", fails, map[string]bool{
		"30000 MiB of 30000": false, "30001 MiB of 30000": true, "500 MiB of none that is reported": true, "0 MiB of none that is reported": true, "0 MiB of no GPU": true,
		"1 MiB of 0": true, "8000 MiB of 8000": false, "9000 MiB of 8000": true,
	}, check.Exact, check.Why("an error says that no GPU has as much free"),
		check.Mistake(map[string]bool{
			"30000 MiB of 30000": true, "30001 MiB of 30000": true, "500 MiB of none that is reported": true, "0 MiB of none that is reported": true, "0 MiB of no GPU": true,
			"1 MiB of 0": true, "8000 MiB of 8000": true, "9000 MiB of 8000": true,
		}, "you refused a GPU that has just enough"),
		check.Mistake(map[string]bool{
			"30000 MiB of 30000": false, "30001 MiB of 30000": false, "500 MiB of none that is reported": true, "0 MiB of none that is reported": true, "0 MiB of no GPU": true,
			"1 MiB of 0": false, "8000 MiB of 8000": false, "9000 MiB of 8000": true,
		}, "you compared what is needed with what a GPU has in all: what is used is not free"),
		check.Mistake(map[string]bool{
			"30000 MiB of 30000": false, "30001 MiB of 30000": false, "500 MiB of none that is reported": true, "0 MiB of none that is reported": true, "0 MiB of no GPU": true,
			"1 MiB of 0": false, "8000 MiB of 8000": false, "9000 MiB of 8000": false,
		}, "you returned the best GPU without asking whether it is good enough"))
}

// expand is ExpandHosts with a bound on the memory. A loop that never ends would fill the machine's before the test's time is
// up, and only the end of the process stops it. The longest list of the longest names takes 17 MB.
func expand(list string) ([]string, error) {
	done := make(chan struct{})
	defer close(done)
	go func() {
		const most = 200 << 20
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				var m runtime.MemStats
				if runtime.ReadMemStats(&m); m.HeapAlloc > most {
					why := "bound the list before a range is expanded"
					if !strings.Contains(list, "-") {
						why = "where i is the largest int, i++ is the smallest, so that i <= last never ends"
					}
					panic(fmt.Sprintf("ExpandHosts(%.60q) fills the memory: %s", list, why))
				}
			}
		}
	}()
	return cluster.ExpandHosts(list)
}

func TestHosts(t *testing.T) {
	defer check.Rescue(t)
	t.Run("ExpandHosts", func(t *testing.T) {
		defer check.Rescue(t)
		type hosts = []string
		const (
			zeros = "you lost the leading zeros: node1 is another host than node01"
			short = "you left out the end of a range"
			wide  = "you padded to the width of the range's end: the width is that of its first number"
			tail  = "you lost what follows the bracket"
		)
		var lists sheet[hosts]
		for _, c := range []struct {
			list     string
			want     hosts
			mistakes []mistake[hosts]
		}{
			{"login", hosts{"login"}, nil},
			{"a,b-2.site,c_3", hosts{"a", "b-2.site", "c_3"}, nil},
			{"node[01-03,07],login", hosts{"node01", "node02", "node03", "node07", "login"}, []mistake[hosts]{
				{hosts{"node1", "node2", "node3", "node7", "login"}, zeros},
				{hosts{"node01", "node02", "node07", "login"}, short},
			}},
			{"n[098-101]", hosts{"n098", "n099", "n100", "n101"}, []mistake[hosts]{
				{hosts{"n98", "n99", "n100", "n101"}, zeros},
				{hosts{"n098", "n099", "n100"}, short},
			}},
			{"n[8-11]", hosts{"n8", "n9", "n10", "n11"}, []mistake[hosts]{
				{hosts{"n08", "n09", "n10", "n11"}, wide},
				{hosts{"n8", "n9", "n10"}, short},
			}},
			{"r[1,002]", hosts{"r1", "r002"}, []mistake[hosts]{{hosts{"r1", "r2"}, zeros}}},
			{"rack[2-3]-ib,rack[1]", hosts{"rack2-ib", "rack3-ib", "rack1"}, []mistake[hosts]{
				{hosts{"rack2", "rack3", "rack1"}, tail},
				{hosts{"rack2-ib", "rack1"}, short},
			}},
			{"n[010-011,1-02,5-5],n5,n[5]", hosts{"n010", "n011", "n1", "n2", "n5", "n5", "n5"}, []mistake[hosts]{
				{hosts{"n10", "n11", "n1", "n2", "n5", "n5", "n5"}, zeros},
				{hosts{"n010", "n011", "n01", "n02", "n5", "n5", "n5"}, wide},
				{hosts{"n010", "n1", "n5", "n5"}, short},
				{hosts{"n010", "n011", "n1", "n2", "n5"}, "you left out a host that is named again: the list says it twice"},
				{hosts{"n008", "n009", "n1", "n2", "n5", "n5", "n5"}, anyBase},
			}},
			{"[08-09,1],[7]x", hosts{"08", "09", "1", "7x"}, []mistake[hosts]{
				{hosts{"8", "9", "1", "7x"}, zeros}, {hosts{"08", "1", "7x"}, short}, {hosts{"08", "09", "1", "7"}, tail},
			}},
			{"a-1_b.c[2].d-3_e", hosts{"a-1_b.c2.d-3_e"}, []mistake[hosts]{{hosts{"a-1_b.c2"}, tail}}},
			{"x[2147483647]", hosts{"x2147483647"}, nil},
			{"n[0],m[0-1],k[00]", hosts{"n0", "m0", "m1", "k00"}, []mistake[hosts]{{hosts{"n0", "m0", "m1", "k0"}, zeros}, {hosts{"n0", "m0", "k00"}, short}}},
			{"-a,.b,_c,7,Z-,GPU-Node[1-2]X", hosts{"-a", ".b", "_c", "7", "Z-", "GPU-Node1X", "GPU-Node2X"}, []mistake[hosts]{
				{hosts{"-a", ".b", "_c", "7", "z-", "gpu-node1x", "gpu-node2x"}, "you changed the case of letters: a name stays as it is written"},
				{hosts{"-a", ".b", "_c", "7", "Z-", "GPU-Node1", "GPU-Node2"}, tail},
			}},
			{"x[0000000000000000000000009-10]", hosts{"x0000000000000000000000009", "x0000000000000000000000010"}, []mistake[hosts]{
				{hosts{"x9", "x10"}, zeros}, {hosts{"x0000000000000000000000009"}, short}, {hosts{"x09", "x10"}, wide},
			}},
			{strings.Repeat("h", 255), hosts{strings.Repeat("h", 255)}, nil},
			{strings.Repeat("h", 250) + "[1]-end", hosts{strings.Repeat("h", 250) + "1-end"}, []mistake[hosts]{{hosts{strings.Repeat("h", 250) + "1"}, tail}}},
		} {
			got, err := expand(c.list)
			require.NoError(t, err, "ExpandHosts(%q)", c.list)
			lists.add(fmt.Sprintf("ExpandHosts(%.60q)", c.list), got, c.want, append(c.mistakes, mistake[hosts]{slices.Sorted(slices.Values(c.want)), "you sorted the hosts: their order is the list's"})...)
		}
		lists.check(t, "the hosts", "scontrol show hostnames prints these")
		for _, list := range []string{"n[1-65536]", "n[1-65535],login", strings.Repeat("a,", cluster.MaxHosts-1) + "a"} {
			most, err := expand(list)
			require.NoError(t, err, "ExpandHosts(%.20q…)", list)
			check.Equal(t, fmt.Sprintf("len(ExpandHosts(%.20q…))", list), len(most), cluster.MaxHosts, check.Exact)
		}
		h := func(n int) string { return strings.Repeat("h", n) }
		bounds := []wrong{ // a name is never the whole list: whether the name or the range is quoted is the learner's
			{"ok,n[1-65537]", "1-65537", "MaxHosts", "range"},
			{"m[1-537],n[1-65000]", "1-65000", "MaxHosts in all", "ranges"},
			{"ok,n[0-9,0-65535]", "0-65535", "MaxHosts in all", "ranges"},
			{"m,n[1-65536]", "1-65536", "MaxHosts in all", "ranges"},
			{"ok,n[1-40000,1-40000]", "1-40000", "MaxHosts in all", "bracket"},
			{"n[1-65536],login", "login", "MaxHosts in all", "plain names"},
			{"ok,n[1-65535,7]", "7", "MaxHosts in all", "plain numbers"},
			{"ok,n[" + strings.Repeat("0", 300) + "1-2]", "0001-2", "MaxName", "number"},
			{"ok," + h(256), "hhh", "MaxName", "plain name"},
			{"ok," + h(255) + "[1]", "1", "MaxName", "number"},
			{"ok," + h(254) + "[9-10]", "9-10", "MaxName", "last number"},
			{"ok," + h(251) + "[1]-end", "1", "MaxName", "suffix"},
			{"ok,n[1]" + h(254), "1", "MaxName", "suffix"},
			{"ok," + h(200) + "[1]" + h(60), "1", "MaxName", "text around"},
		}
		bound := func(slips ...string) func(w wrong) bool {
			return func(w wrong) bool { return slices.Contains(slips, w.slip) }
		}
		refuses(t, "ExpandHosts", bounds, func(list string) error { _, err := expand(list); return err },
			slip{bound("range", "ranges", "bracket", "plain names", "plain numbers"), "you did not bound the list: a few bytes of input would fill the memory"},
			slip{bound("range", "ranges", "bracket", "plain numbers"), "you did not bound the list: a few bytes of input would fill the memory"},
			slip{bound("ranges", "bracket", "plain names", "plain numbers"), "you bounded a range, not the list"},
			slip{bound("ranges", "bracket", "plain numbers"), "you bounded a range, not the list"},
			slip{bound("bracket", "plain numbers"), "you bounded each part of a bracket by itself: they count together"},
			slip{bound("plain names"), "you bounded the ranges only: names without a bracket count too"},
			slip{bound("plain names", "plain numbers"), "you bounded the ranges only: single numbers and names without a bracket count too"},
			slip{bound("plain numbers"), "you bounded the ranges only: single numbers count too"},
			slip{bound("number", "plain name", "last number", "suffix", "text around"), "you did not bound the length of a name"},
			slip{bound("number", "last number", "suffix"), "you left the number out of the length of a name"},
			slip{bound("number", "last number", "suffix", "text around"), "you bounded the length of names without a bracket only"},
			slip{bound("plain name"), "you bounded the names with a bracket only"},
			slip{bound("suffix", "text around"), "you left the suffix out of the length of a name"},
			slip{bound("last number"), "you measured the first name of a range only: the last may be longer"})
		refusesHosts(t)
		for _, number := range []string{"2147483648", "9223372036854775807", "18446744073709551615"} { // whether these are accepted is the learner's
			list := "n[" + number + "]"
			if got, err := expand(list); err == nil {
				check.Equal(t, fmt.Sprintf("ExpandHosts(%q)", list), got, []string{"n" + number}, check.Exact,
					check.Why("it is an error or this one host"),
					check.Mistake([]string(nil), "you let a number wrap around: one that does not fit is an error"))
			}
		}
	})
	t.Run("TFConfig", func(t *testing.T) {
		defer check.Rescue(t)
		hosts := []string{"gpu08", "gpu07", "gpu11"}
		passed := check.Copy(hosts)
		text, err := cluster.TFConfig(passed, 2222, 1)
		require.NoError(t, err, "TFConfig(hosts, 2222, 1)")
		var got any
		require.NoError(t, json.Unmarshal(text, &got), "TFConfig(hosts, 2222, 1) = %s is not JSON", text)
		again, err := json.Marshal(got) // keys in order
		require.NoError(t, err)
		const all = `{"cluster":{"worker":["gpu08:2222","gpu07:2222","gpu11:2222"]},"task":{"index":1,"type":"worker"}}`
		check.Equal(t, "TFConfig(hosts, 2222, 1), its keys sorted", string(again), all, check.Exact, check.Kept("hosts", passed, hosts),
			check.Why("every worker gets the same cluster, and its own task"),
			check.Mistake(strings.Replace(all, "1,", `"1",`, 1), "you wrote the task's index as a string: it is a number"),
			check.Mistake(strings.ReplaceAll(all, ":2222", ""), "you left the port out"),
			check.Mistake(strings.Replace(all, `"gpu08:2222","gpu07:2222"`, `"gpu07:2222","gpu08:2222"`, 1), "you sorted the workers: their order says which task is which"),
			check.Mistake(strings.Replace(all, `"gpu07:2222",`, "", 1), "you left the worker itself out of the cluster: every worker lists all"),
			check.Mistake(strings.Replace(all, `"index":1`, `"index":2`, 1), "you counted tasks from 1"))
		for _, c := range []struct{ port, task int }{{1, 0}, {65535, 2}} {
			text, err := cluster.TFConfig(hosts, c.port, c.task)
			require.NoError(t, err, "TFConfig(hosts, %d, %d)", c.port, c.task)
			require.JSONEq(t, fmt.Sprintf(`{"cluster":{"worker":["gpu08:%[1]d","gpu07:%[1]d","gpu11:%[1]d"]},"task":{"index":%d,"type":"worker"}}`, c.port, c.task), string(text),
				"TFConfig(hosts, %d, %d)", c.port, c.task)
		}
		twice, err := cluster.TFConfig([]string{"gpu08", "gpu08", "gpu07"}, 2222, 1)
		require.NoError(t, err, "TFConfig of three workers, two of them on one host")
		require.JSONEq(t, `{"cluster":{"worker":["gpu08:2222","gpu08:2222","gpu07:2222"]},"task":{"index":1,"type":"worker"}}`, string(twice),
			"TFConfig of three workers, two of them on one host: a host that is there twice is two workers")
		for _, c := range []struct {
			hosts      []string
			port, task int
			quote, why string
		}{
			{nil, 2222, 0, "", "there is no worker"},
			{hosts, 0, 1, "port", "port 0 is none"},
			{hosts, -1, 1, "port", "a port is positive"},
			{hosts, 65536, 1, "port", "a port has 16 bits"},
			{[]string{}, 2222, 0, "", "there is no worker"},
			{hosts, 2222, 3, "task", "the last worker is 2"},
			{hosts, 2222, -1, "task", "workers count from 0"},
			{[]string{"gpu07", ""}, 2222, 0, "", "the last host has no name"},
			{[]string{"", "gpu07", "gpu08"}, 2222, 1, "", "the first host has no name"},
		} {
			_, err := cluster.TFConfig(c.hosts, c.port, c.task)
			check.Fails(t, fmt.Sprintf("TFConfig(%q, %d, %d), where %s,", c.hosts, c.port, c.task, c.why), err, c.quote)
		}
	})
	check.Independent(t, "ExpandHosts(list)", cluster.ExpandHosts, check.Args{"node[01-03,07],login"}, check.Args{"rack[2-3]-ib,a,b"})
	check.Independent(t, "TFConfig(hosts, port, task)", cluster.TFConfig, check.Args{[]string{"b", "a", "c"}, 2222, 1}, check.Args{[]string{"e", "d", "f"}, 3333, 2})
}

func TestBreakEven(t *testing.T) {
	defer check.Rescue(t)
	const none = -1 // for ok false
	type job struct {
		name           string
		flops, bytes   func(n int) float64
		cpu, gpu, link float64
		limit          int
	}
	first := func(limit int, worth func(n int) bool) int {
		for n := 1; n <= limit; n++ {
			if worth(n) {
				return n
			}
		}
		return none
	}
	growing := func(f func(n int) float64, limit int) int { // up to where f falls
		n := min(1, limit)
		for n < limit && f(n+1) >= f(n) {
			n++
		}
		return n
	}
	square := func(n int) float64 { return float64(n) * float64(n) }
	product := func(n int) float64 { return 2 * square(n) * float64(n) }
	moved := func(n int) float64 { return 12 * square(n) }
	blocks := func(n int) float64 { return square((n + 7) / 8 * 8) } // whole blocks of 8
	var sizes sheet[int]
	for _, c := range []struct {
		job
		want int
	}{
		{job{"product", product, moved, 1, 2, 1, 100}, 13},                                                                       // 12n² + 2n³/2 < 2n³ is 12 < n, and at 12 both take as long
		{job{"product", product, moved, 1, 2, 1, 13}, 13},                                                                        // the limit is a size
		{job{"product", product, moved, 1, 2, 1, 12}, none},                                                                      // one less
		{job{"addition", square, moved, 1, 10, 2, 1000}, none},                                                                   // 6 < 0.9 at no size
		{job{"blocks of 8", square, blocks, 1, 4, 2, 64}, 7},                                                                     // n > 0.8165·8⌈n/8⌉: 7 and 8, then 14, 15, 16
		{job{"product on a slow GPU", product, moved, 4, 1, 8, 100}, none},                                                       // it only loses
		{job{"work that shrinks", func(n int) float64 { return float64(8 - n) }, func(int) float64 { return 3 }, 1, 2, 1, 5}, 1}, // 3 < (8 − n)/2 at 0 and 1 only
		{job{"hardly sooner", func(int) float64 { return 2.2 }, func(n int) float64 { return 1.1 + 1e-10*(2.5-float64(n)) }, 1, 2, 1, 9}, 3},
		{job{"blocks of 8", square, blocks, 1, 4, 2, 5000}, 7},
		{job{"product over a link that costs nothing", product, moved, 1, 2, math.Inf(1), 50}, 1},
		{job{"product on a GPU that takes no time", product, moved, 1, math.Inf(1), 1, 50}, 7}, // 12n² < 2n³
		{job{"product on a CPU that takes no time", product, moved, math.Inf(1), 2, 1, 50}, none},
		{job{"nothing to do or to move below 4", func(n int) float64 { return float64(max(n-3, 0)) }, func(int) float64 { return 0 }, 1, 2, 1, 9}, 4}, // 0 < 0 is false
		{job{"work that shrinks and then grows", func(n int) float64 { return square(n - 4) }, func(int) float64 { return 10 }, 1, 2, 1, 20}, 9},      // 10 < (n − 4)²/2
		{job{"product", product, moved, 1, 2, 1, 0}, none},                                                                                            // no size at all
	} {
		move := func(n int) float64 { return c.bytes(n) / c.link }
		on := func(rate float64) func(n int) float64 { return func(n int) float64 { return c.flops(n) / rate } }
		cpu, gpu := on(c.cpu), on(c.gpu)
		worth := func(n int) bool { return move(n)+gpu(n) < cpu(n) }
		got, ok := cluster.BreakEven(c.flops, c.bytes, c.cpu, c.gpu, c.link, c.limit)
		if !ok {
			got = none
		}
		bisected := 1 + sort.Search(c.limit, func(i int) bool { return worth(i + 1) })
		if bisected > c.limit {
			bisected = none
		}
		sizes.add(fmt.Sprintf("BreakEven(%s, cpu %g, gpu %g, link %g, limit %d)", c.name, c.cpu, c.gpu, c.link, c.limit), got, c.want,
			mistake[int]{first(c.limit-1, worth), "you stopped before the limit: it is one of the sizes"},
			mistake[int]{first(c.limit, func(n int) bool { return gpu(n) < cpu(n) }), "you left the transfer out"},
			mistake[int]{first(c.limit, func(n int) bool { return move(n) < cpu(n) }), "you left out the time that the GPU computes"},
			mistake[int]{first(c.limit, func(n int) bool { return move(n)+cpu(n) < gpu(n) }), "you exchanged the rates of CPU and GPU"},
			mistake[int]{first(c.limit, func(n int) bool { return move(n)+gpu(n) <= cpu(n) }), "you called it worth moving where both take as long: it must be sooner"},
			mistake[int]{first(growing(c.flops, c.limit), worth), "you gave up where flops fell: they may fall as well as grow, so look at every n"},
			mistake[int]{first(c.limit+1, worth), "you looked beyond the limit"},
			mistake[int]{c.limit, "you returned the limit where no size is worth it: ok is then false"},
			mistake[int]{bisected, "you searched by halves: flops and bytes may fall as well as grow, so look at every n from 1"})
	}
	sizes.check(t, "the sizes, −1 where ok is false,", "the smallest n with bytes/link + flops/gpu < flops/cpu")
	for _, bad := range []float64{0, -1, math.NaN()} {
		check.Panics(t, fmt.Sprintf("BreakEven with cpu %g", bad), func() { cluster.BreakEven(product, moved, bad, 10, 1, 9) })
		check.Panics(t, fmt.Sprintf("BreakEven with gpu %g", bad), func() { cluster.BreakEven(product, moved, 1, bad, 1, 9) })
		check.Panics(t, fmt.Sprintf("BreakEven with link %g, limit 0,", bad), func() { cluster.BreakEven(product, moved, 1, 10, bad, 0) })
	}
	check.Independent(t, "BreakEven(flops, bytes, cpu, gpu, link, limit)", cluster.BreakEven,
		check.Args{product, moved, 1, 2, 1, 100}, check.Args{square, blocks, 0.5, 4, 2, 5})
}
