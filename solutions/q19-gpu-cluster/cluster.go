// Package cluster is what stands between a training script and the GPUs of a cluster: names of devices, what is visible and
// free, the hosts of a job, the share of a rank, and whether moving the work pays.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "cluster: ".
package cluster

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
	kinds   = []string{"CPU", "GPU", "TPU"}
	columns = []string{"index", "name", "memory.total [MiB]", "memory.used [MiB]", "utilization.gpu [%]"}
	host    = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

// Locate returns on which node a rank runs, and as which process of that node, if every node runs gpusPerNode ranks, one a
// GPU, and ranks are numbered node by node from 0. It panics if rank is negative or gpusPerNode is not positive.
// Source: RANK and LOCAL_RANK of torchrun.
func Locate(rank, gpusPerNode int) (node, local int) {
	if rank < 0 || gpusPerNode < 1 {
		panic(fmt.Sprintf("cluster: rank %d with %d GPUs a node", rank, gpusPerNode))
	}
	return rank / gpusPerNode, rank % gpusPerNode
}

// EffectiveBatch returns how many examples one optimiser step sees: world ranks, each of which adds up the gradients of
// accumulation batches of perDevice examples. It panics if an argument is not positive.
func EffectiveBatch(perDevice, world, accumulation int) int {
	if perDevice < 1 || world < 1 || accumulation < 1 {
		panic(fmt.Sprintf("cluster: %d examples on %d ranks, accumulated %d times", perDevice, world, accumulation))
	}
	return perDevice * world * accumulation
}

// ShardIndices returns which of n examples a rank of world reads, as PyTorch's DistributedSampler without shuffling: every
// world-th, from rank on, the same number for every rank. If world does not divide n, dropLast leaves out the tail;
// otherwise the examples start again from 0 until every rank has as many, several times over if n < world. It panics if n is
// negative, or rank is not in [0, world).
func ShardIndices(n, world, rank int, dropLast bool) []int {
	if n < 0 || rank < 0 || rank >= world {
		panic(fmt.Sprintf("cluster: rank %d of %d, with %d examples", rank, world, n))
	}
	each := (n + world - 1) / world
	if dropLast {
		each = n / world
	}
	indices := make([]int, each)
	for i := range indices {
		indices[i] = (rank + i*world) % n
	}
	return indices
}

// ParseDevice reads a TensorFlow device string: pieces job:NAME, replica:N, task:N and device:KIND:N, parted by slashes, in
// any order, all optional; NAME is not empty. KIND:N and KIND are short for device:KIND:N and device:KIND:*, and * leaves the index open. A kind
// is CPU, GPU or TPU in any case of letters. Anything else, a piece given twice, and a number that is not decimal digits is an
// error that quotes the piece. Source: tf.DeviceSpec.from_string.
func ParseDevice(s string) (Device, error) {
	d := Device{Replica: -1, Task: -1, Index: -1}
	seen := map[string]bool{}
	for _, piece := range strings.Split(s, "/") {
		if piece == "" {
			continue
		}
		fields := strings.Split(piece, ":")
		if isKind(fields[0]) {
			fields = append([]string{"device"}, fields...)
			if len(fields) == 2 {
				fields = append(fields, "*")
			}
		}
		if err := d.set(fields); err != nil {
			return Device{}, fmt.Errorf("cluster: device %q: piece %q: %w", s, piece, err)
		}
		if seen[fields[0]] {
			return Device{}, fmt.Errorf("cluster: device %q: piece %q: a second %s", s, piece, fields[0])
		}
		seen[fields[0]] = true
	}
	return d, nil
}

func (d *Device) set(fields []string) (err error) {
	switch name := fields[0]; {
	case name == "job" && len(fields) == 2 && fields[1] != "":
		d.Job = fields[1]
	case name == "replica" && len(fields) == 2:
		d.Replica, err = number(fields[1])
	case name == "task" && len(fields) == 2:
		d.Task, err = number(fields[1])
	case name == "device" && len(fields) == 3 && isKind(fields[1]):
		d.Kind = strings.ToUpper(fields[1])
		if fields[2] != "*" {
			d.Index, err = number(fields[2])
		}
	default:
		err = errors.New("not job:NAME, replica:N, task:N or device:KIND:N")
	}
	return err
}

func isKind(s string) bool { return slices.Contains(kinds, strings.ToUpper(s)) }

// number reads decimal digits, without a sign.
func number(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number from 0 to %d", s, math.MaxInt32)
	}
	return int(n), nil
}

// VisibleDevices returns the physical GPUs that a process sees, in its own numbering: result[i] is the physical index of its
// device i. env is the value of CUDA_VISIBLE_DEVICES, set whether the variable is set at all, present how many GPUs the
// machine has. Unset, all are visible; set to "", none. An index that is not one of the machine's ends the list: only those
// before it count. UUIDs are out of scope. Source: CUDA Programming Guide, environment variables.
func VisibleDevices(env string, set bool, present int) []int {
	var physical []int
	if !set {
		for id := range present {
			physical = append(physical, id)
		}
		return physical
	}
	for _, piece := range strings.Split(env, ",") {
		id, err := number(piece)
		if err != nil || id >= present {
			break
		}
		physical = append(physical, id)
	}
	return physical
}

// ParseSMI reads what nvidia-smi prints for
//
//	--query-gpu=index,name,memory.total,memory.used,utilization.gpu --format=csv
//
// the header "index, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]", then a row for each GPU, with units:
// "0, NVIDIA L4, 23034 MiB, 412 MiB, 3 %". [N/A], and [Not Supported] of older drivers, is −1 in the three columns that have a
// unit. A header that differs or is missing, a row of another length, and a number without its unit is an error that names the
// line, "line 3", counted from 1. A header alone is no GPU, and no error. An error of r is one.
func ParseSMI(r io.Reader) ([]GPU, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	in.FieldsPerRecord = len(columns)
	head, err := in.Read()
	if err != nil || !slices.Equal(head, columns) {
		return nil, fmt.Errorf("cluster: nvidia-smi: line 1: %q is not the header %q", head, columns)
	}
	var gpus []GPU
	for {
		row, err := in.Read()
		if err == io.EOF {
			return gpus, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cluster: nvidia-smi: %w", err)
		}
		g, err := parseRow(row)
		if err != nil {
			line, _ := in.FieldPos(0)
			return nil, fmt.Errorf("cluster: nvidia-smi: line %d: %w", line, err)
		}
		gpus = append(gpus, g)
	}
}

func parseRow(row []string) (g GPU, err error) {
	g.Name = row[1]
	if g.Index, err = number(row[0]); err != nil {
		return GPU{}, fmt.Errorf("index: %w", err)
	}
	for i, to := range []*int{&g.TotalMiB, &g.UsedMiB, &g.Utilization} {
		unit := []string{"MiB", "MiB", "%"}[i]
		if *to, err = quantity(row[2+i], unit); err != nil {
			return GPU{}, fmt.Errorf("%s: %w", columns[2+i], err)
		}
	}
	return g, nil
}

func quantity(cell, unit string) (int, error) {
	if cell == "[N/A]" || cell == "[Not Supported]" {
		return -1, nil
	}
	digits, ok := strings.CutSuffix(cell, " "+unit)
	if !ok {
		return 0, fmt.Errorf("%q is not a number of %s", cell, unit)
	}
	return number(digits)
}

// FreeGPU returns the Index of the GPU with the most free memory, TotalMiB − UsedMiB, the lowest Index where several have as
// much. It is an error that names needMiB if that is less. A GPU whose memory is not reported (−1) does not count.
func FreeGPU(gpus []GPU, needMiB int) (int, error) {
	best, most := -1, 0
	for _, g := range gpus {
		if g.TotalMiB < 0 || g.UsedMiB < 0 {
			continue
		}
		if free := g.TotalMiB - g.UsedMiB; best < 0 || free > most || free == most && g.Index < best {
			best, most = g.Index, free
		}
	}
	if best < 0 || most < needMiB {
		return 0, fmt.Errorf("cluster: %d MiB needed, and none of %d GPUs is known to have as much free", needMiB, len(gpus))
	}
	return best, nil
}

// ExpandHosts returns the hosts of a Slurm host list, in its order: "node[01-03,07],login" is node01, node02, node03, node07
// and login. A name has one bracket at most, of numbers and ranges; a suffix may follow it. A number is written with as many
// digits, at least, as the number it stands at, or the first of its range, has in the list. If the list
// names more than MaxHosts hosts, or one of more than MaxName bytes, that is an error, found before the range is expanded. So
// is a name that is empty or has other characters than ASCII letters, digits, dots, dashes and underscores, a bracket that is
// not closed, an empty bracket, a range that runs backwards. The error quotes the name, or the range in it. Source: Slurm, src/common/hostlist.c.
func ExpandHosts(list string) ([]string, error) {
	var hosts []string
	for _, name := range splitNames(list) {
		more, err := expandName(name, MaxHosts-len(hosts))
		if err != nil {
			return nil, fmt.Errorf("cluster: host list: name %q: %w", name, err)
		}
		hosts = append(hosts, more...)
	}
	return hosts, nil
}

// splitNames splits at the commas outside brackets.
func splitNames(list string) []string {
	var names []string
	start, inside := 0, false
	for i, c := range list {
		switch {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case c == ',' && !inside:
			names = append(names, list[start:i])
			start = i + 1
		}
	}
	return append(names, list[start:])
}

func expandName(name string, room int) (hosts []string, err error) {
	prefix, rest, bracketed := strings.Cut(name, "[")
	ranges, suffix, closed := strings.Cut(rest, "]")
	if bracketed != closed {
		return nil, errors.New("a bracket is not closed")
	}
	if name == "" || !host.MatchString(prefix) || !host.MatchString(suffix) {
		return nil, errors.New("not a host name with one bracket at most")
	}
	if !bracketed {
		if room < 1 || len(name) > MaxName {
			return nil, fmt.Errorf("more than %d hosts, or %d bytes", MaxHosts, MaxName)
		}
		return []string{name}, nil
	}
	for _, r := range strings.Split(ranges, ",") {
		first, last, isRange := strings.Cut(r, "-")
		if !isRange {
			last = first
		}
		lo, err := number(first)
		if err != nil {
			return nil, err
		}
		hi, err := number(last)
		if err != nil {
			return nil, err
		}
		if hi < lo {
			return nil, fmt.Errorf("range %q runs backwards", r)
		}
		if hi-lo >= room-len(hosts) || len(prefix)+max(len(first), len(strconv.Itoa(hi)))+len(suffix) > MaxName {
			return nil, fmt.Errorf("range %q: more than %d hosts, or %d bytes", r, MaxHosts, MaxName)
		}
		for i := lo; i <= hi; i++ {
			digits := strconv.Itoa(i)
			hosts = append(hosts, prefix+strings.Repeat("0", max(0, len(first)-len(digits)))+digits+suffix)
		}
	}
	return hosts, nil
}

// TFConfig returns the TF_CONFIG of worker task for a job whose workers, all of them, listen on port of hosts, in that order. No host,
// an empty one, a port outside 1…65535 and a task that is none of the workers is an error, which says whether it is the port or the
// task. Source: TensorFlow, Multi-worker training with Keras. Its form is
//
//	{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}
func TFConfig(hosts []string, port, task int) ([]byte, error) {
	if port < 1 || port > math.MaxUint16 {
		return nil, fmt.Errorf("cluster: port %d is outside 1…%d", port, math.MaxUint16)
	}
	if task < 0 || task >= len(hosts) {
		return nil, fmt.Errorf("cluster: task %d is none of %d workers", task, len(hosts))
	}
	var workers []string
	for i, h := range hosts {
		if h == "" {
			return nil, fmt.Errorf("cluster: host %d has no name", i)
		}
		workers = append(workers, h+":"+strconv.Itoa(port))
	}
	return json.Marshal(map[string]any{
		"cluster": map[string]any{"worker": workers},
		"task":    map[string]any{"type": "worker", "index": task},
	})
}

// BreakEven returns the smallest size n, 1 ≤ n ≤ limit, at which a job of flops(n) floating-point operations is done sooner by
// moving bytes(n) to the GPU and back than on the CPU: bytes/link + flops/gpu < flops/cpu. cpu and gpu are in flop/s, link in
// byte/s. ok is false if there is none. Nothing is assumed of flops and bytes: they may fall as well as grow. It panics if cpu,
// gpu or link is not positive, as NaN is not.
func BreakEven(flops, bytes func(n int) float64, cpu, gpu, link float64, limit int) (n int, ok bool) {
	if !(cpu > 0 && gpu > 0 && link > 0) {
		panic(fmt.Sprintf("cluster: rates must be positive, got %g and %g flop/s, %g byte/s", cpu, gpu, link))
	}
	for n := 1; n <= limit; n++ {
		if bytes(n)/link+flops(n)/gpu < flops(n)/cpu {
			return n, true
		}
	}
	return 0, false
}
