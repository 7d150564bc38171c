// Package cluster is what stands between a training script and the GPUs of a cluster: names of devices, what is visible and
// free, the hosts of a job, the share of a rank, and whether moving the work pays.
package cluster

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MaxHosts is how many hosts a list may name in all, MaxName how many bytes the name of one may have (RFC 1123, 2.1).
const (
	MaxHosts = 65536
	MaxName  = 255
)

// Device is what a TensorFlow device string names. What the string leaves open is −1 or "".
type Device struct {
	Job           string
	Replica, Task int
	Kind          string // "CPU", "GPU" or "TPU"
	Index         int
}

// GPU is one row of nvidia-smi. A number that the driver does not report is −1.
type GPU struct {
	Index                          int // physical, as nvidia-smi counts
	Name                           string
	TotalMiB, UsedMiB, Utilization int // Utilization in percent
}

var (
	piecePattern  = regexp.MustCompile(`^(?:job:([^:]+)|replica:(\d+)|task:(\d+)|device:(?i:(CPU|GPU|TPU)):(\d+|\*)|(?i:(CPU|GPU|TPU))(?::(\d+|\*))?)$`)
	leadingDigits = regexp.MustCompile(`^\d*`)
	smiHeader     = "index, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]"
	smiPattern    = regexp.MustCompile(`^(\d+), ([^,]+), ` + quantity("MiB") + `, ` + quantity("MiB") + `, ` + quantity("%") + `$`)
	namePattern   = regexp.MustCompile(`^([\w.-]*)(\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\])?([\w.-]*)(,|$)`)
)

// quantity matches digits with a unit, or what nvidia-smi prints for a number that it does not know.
func quantity(unit string) string {
	return `(?:(\d+) ` + unit + `|\[N/A\]|\[Not Supported\])`
}

// Locate returns on which node a rank runs, and as which process of that node, if every node runs gpusPerNode ranks, one a
// GPU, and ranks are numbered node by node from 0. It panics if rank is negative or gpusPerNode is not positive.
// Source: RANK and LOCAL_RANK of torchrun.
func Locate(rank, gpusPerNode int) (node, local int) {
	if rank < 0 || gpusPerNode <= 0 {
		panic("cluster: a rank is not negative, and a node has a GPU")
	}
	for local = rank; local >= gpusPerNode; local -= gpusPerNode {
		node++
	}
	return node, local
}

// EffectiveBatch returns how many examples one optimiser step sees: world ranks, each of which adds up the gradients of
// accumulation batches of perDevice examples. It panics if an argument is not positive.
func EffectiveBatch(perDevice, world, accumulation int) int {
	if min(perDevice, world, accumulation) <= 0 {
		panic("cluster: batch, world and accumulation must be positive")
	}
	return accumulation * world * perDevice
}

// ShardIndices returns which of n examples a rank of world reads, as PyTorch's DistributedSampler without shuffling: every
// world-th, from rank on, the same number for every rank. If world does not divide n, dropLast leaves out the tail;
// otherwise the examples start again from 0 until every rank has as many, several times over if n < world. It panics if n is
// negative, or rank is not in [0, world).
func ShardIndices(n, world, rank int, dropLast bool) []int {
	if n < 0 || world <= 0 || rank < 0 || rank >= world {
		panic("cluster: no such rank, or a negative number of examples")
	}
	if n == 0 {
		return nil
	}
	var all []int
	for len(all) < n {
		all = append(all, len(all))
	}
	for len(all)%world != 0 {
		if dropLast {
			all = all[:len(all)-1]
		} else {
			all = append(all, all[len(all)-n])
		}
	}
	var shard []int
	for i, example := range all {
		if i%world == rank {
			shard = append(shard, example)
		}
	}
	return shard
}

// ParseDevice reads a TensorFlow device string: pieces job:NAME, replica:N, task:N and device:KIND:N, parted by slashes, in
// any order, all optional; NAME is not empty. KIND:N and KIND are short for device:KIND:N and device:KIND:*, and * leaves the index open. A kind
// is CPU, GPU or TPU in any case of letters. Anything else, a piece given twice, and a number that is not decimal digits is an
// error that quotes the piece. Source: tf.DeviceSpec.from_string.
func ParseDevice(s string) (Device, error) {
	d := Device{Replica: -1, Task: -1, Index: -1}
	jobs, replicas, tasks, devices := 0, 0, 0, 0
	for piece := range strings.SplitSeq(s, "/") {
		if piece == "" {
			continue
		}
		m := piecePattern.FindStringSubmatch(piece)
		if m == nil {
			return Device{}, fmt.Errorf("cluster: %q has a piece that I do not know: %q", s, piece)
		}
		var err error
		set := func(to *int, digits string) {
			if digits != "" && digits != "*" {
				*to, err = strconv.Atoi(digits)
			}
		}
		switch {
		case m[1] != "":
			jobs++
			d.Job = m[1]
		case m[2] != "":
			replicas++
			set(&d.Replica, m[2])
		case m[3] != "":
			tasks++
			set(&d.Task, m[3])
		default:
			devices++
			d.Kind = strings.ToUpper(m[4] + m[6])
			set(&d.Index, m[5]+m[7])
		}
		if err != nil || max(jobs, replicas, tasks, devices) > 1 {
			return Device{}, fmt.Errorf("cluster: %q: too large, or given twice: %q", s, piece)
		}
	}
	return d, nil
}

// VisibleDevices returns the physical GPUs that a process sees, in its own numbering: result[i] is the physical index of its
// device i. env is the value of CUDA_VISIBLE_DEVICES, set whether the variable is set at all, present how many GPUs the
// machine has. Unset, all are visible; set to "", none. An index that is not one of the machine's ends the list: only those
// before it count. UUIDs are out of scope. Source: CUDA Programming Guide, environment variables.
func VisibleDevices(env string, set bool, present int) []int {
	visible := []int{}
	if !set {
		for len(visible) < present {
			visible = append(visible, len(visible))
		}
		return visible
	}
	for env != "" {
		digits := leadingDigits.FindString(env)
		rest := env[len(digits):]
		id, err := strconv.Atoi(digits)
		if err != nil || id >= present || rest != "" && rest[0] != ',' {
			break
		}
		visible = append(visible, id)
		env = strings.TrimPrefix(rest, ",")
	}
	return visible
}

// ParseSMI reads what nvidia-smi prints for
//
//	--query-gpu=index,name,memory.total,memory.used,utilization.gpu --format=csv
//
// a header, then a row a GPU, with units: "0, NVIDIA L4, 23034 MiB, 412 MiB, 3 %". [N/A], and [Not Supported] of older
// drivers, is −1 in the three columns that have a unit. A header that differs, a row of another length, and a number without
// its unit is an error that names the line, "line 3", counted from 1. A header alone is no GPU, and no error.
func ParseSMI(r io.Reader) ([]GPU, error) {
	gpus := []GPU{}
	lines := bufio.NewScanner(r)
	for n := 1; ; n++ {
		if !lines.Scan() {
			if err := lines.Err(); err != nil || n == 1 {
				return nil, fmt.Errorf("cluster: line %d cannot be read, or there is no header (%v)", n, err)
			}
			return gpus, nil
		}
		line := strings.TrimSpace(lines.Text())
		if n == 1 {
			if line != smiHeader {
				return nil, fmt.Errorf("cluster: line 1 is %q, not %q", line, smiHeader)
			}
			continue
		}
		if line == "" {
			continue
		}
		m := smiPattern.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("cluster: line %d is no row of five columns with units: %q", n, line)
		}
		g := GPU{Name: m[2], TotalMiB: -1, UsedMiB: -1, Utilization: -1}
		for i, to := range map[int]*int{1: &g.Index, 3: &g.TotalMiB, 4: &g.UsedMiB, 5: &g.Utilization} {
			if m[i] == "" {
				continue // not reported
			}
			var err error
			if *to, err = strconv.Atoi(m[i]); err != nil {
				return nil, fmt.Errorf("cluster: line %d: %w", n, err)
			}
		}
		gpus = append(gpus, g)
	}
}

// FreeGPU returns the Index of the GPU with the most free memory, TotalMiB − UsedMiB, the lowest Index where several have as
// much. It is an error that names needMiB if that is less. A GPU whose memory is not reported (−1) does not count.
func FreeGPU(gpus []GPU, needMiB int) (int, error) {
	fit := slices.DeleteFunc(slices.Clone(gpus), func(g GPU) bool {
		return g.TotalMiB == -1 || g.UsedMiB == -1 || g.TotalMiB-g.UsedMiB < needMiB
	})
	if len(fit) == 0 {
		return 0, fmt.Errorf("cluster: no GPU is known to have %d MiB free", needMiB)
	}
	slices.SortFunc(fit, func(a, b GPU) int {
		return cmp.Or(cmp.Compare(b.TotalMiB-b.UsedMiB, a.TotalMiB-a.UsedMiB), cmp.Compare(a.Index, b.Index))
	})
	return fit[0].Index, nil
}

// ExpandHosts returns the hosts of a Slurm host list, in its order: "node[01-03,07],login" is node01, node02, node03, node07
// and login. A name has one bracket at most, of numbers and ranges; a suffix may follow it. A number is written with as many
// digits, at least, as the number it stands at, or the first of its range, has in the list. If the list
// names more than MaxHosts hosts, or one of more than MaxName bytes, that is an error, found before the range is expanded. So
// is a name that is empty or has other characters than ASCII letters, digits, dots, dashes and underscores, a bracket that is
// not closed, an empty bracket, a range that runs backwards. The error quotes the name, or the range in it. Source: Slurm, src/common/hostlist.c.
func ExpandHosts(list string) ([]string, error) {
	var hosts []string
	for rest := list; ; {
		m := namePattern.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("cluster: no host name, or more than one bracket, at the start of %q", rest)
		}
		ranges := []string{""}
		if m[2] != "" {
			ranges = strings.Split(strings.Trim(m[2], "[]"), ",")
		}
		for _, r := range ranges {
			first, last, _ := strings.Cut(r, "-")
			if last == "" {
				last = first
			}
			lo, hi := new(big.Int), new(big.Int)
			lo.SetString("0"+first, 10)
			hi.SetString("0"+last, 10)
			count := new(big.Int).Sub(hi, lo)
			if count.Sign() < 0 || count.Cmp(big.NewInt(int64(MaxHosts-len(hosts)))) >= 0 {
				return nil, fmt.Errorf("cluster: range %q in name %q runs backwards, or past %d hosts", r, m[0], MaxHosts)
			}
			if len(m[1])+max(len(first), len(strings.TrimLeft(last, "0")))+len(m[3]) > MaxName {
				return nil, fmt.Errorf("cluster: range %q: name %q has more than %d bytes", r, m[0], MaxName)
			}
			for ; lo.Cmp(hi) <= 0; lo.Add(lo, big.NewInt(1)) {
				number := ""
				if r != "" {
					number = lo.String()
				}
				hosts = append(hosts, m[1]+strings.Repeat("0", max(0, len(first)-len(number)))+number+m[3])
			}
		}
		if m[0] == "" || m[1]+m[2]+m[3] == "" {
			return nil, fmt.Errorf("cluster: the host list %q has an empty name, \"\"", list)
		}
		rest = rest[len(m[0]):]
		if m[4] == "" {
			return hosts, nil
		}
	}
}

// TFConfig returns the TF_CONFIG of worker task for a job whose workers, all of them, listen on port of hosts, in that order. No host,
// an empty one, a port outside 1…65535 and a task that is none of the workers is an error, which says whether it is the port or the
// task. Source: TensorFlow, Multi-worker training with Keras. Its form is
//
//	{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}
func TFConfig(hosts []string, port, task int) ([]byte, error) {
	switch {
	case port <= 0 || port >= 1<<16:
		return nil, fmt.Errorf("cluster: %d is no port", port)
	case task < 0 || task >= len(hosts):
		return nil, fmt.Errorf("cluster: task %d is not among %d workers", task, len(hosts))
	}
	if i := slices.Index(hosts, ""); i >= 0 {
		return nil, fmt.Errorf("cluster: worker %d has an empty host", i)
	}
	var config struct {
		Task struct {
			Index int    `json:"index"`
			Type  string `json:"type"`
		} `json:"task"`
		Cluster struct {
			Worker []string `json:"worker"`
		} `json:"cluster"`
	}
	config.Task.Index, config.Task.Type = task, "worker"
	for _, h := range hosts {
		config.Cluster.Worker = append(config.Cluster.Worker, fmt.Sprintf("%s:%d", h, port))
	}
	return json.MarshalIndent(config, "", "  ")
}

// BreakEven returns the smallest size n, 1 ≤ n ≤ limit, at which a job of flops(n) floating-point operations is done sooner by
// moving bytes(n) to the GPU and back than on the CPU: bytes/link + flops/gpu < flops/cpu. cpu and gpu are in flop/s, link in
// byte/s. ok is false if there is none. Nothing is assumed of flops and bytes: they may fall as well as grow. It panics if a
// rate is not positive, as NaN is not.
func BreakEven(flops, bytes func(n int) float64, cpu, gpu, link float64, limit int) (n int, ok bool) {
	if !(min(cpu, gpu, link) > 0) { // NaN is none either
		panic("cluster: a rate is not positive")
	}
	saved := 1/cpu - 1/gpu // seconds a flop
	for n = 1; n <= limit; n++ {
		if flops(n)*saved > bytes(n)/link {
			return n, true
		}
	}
	return 0, false
}
