// Package cluster is what stands between a training script and the GPUs of a cluster: names of devices, what is visible and
// free, the hosts of a job, the share of a rank, and whether moving the work pays.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "cluster: ".
package cluster

import "io"

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

// Locate returns on which node a rank runs, and as which process of that node, if every node runs gpusPerNode ranks, one a
// GPU, and ranks are numbered node by node from 0. It panics if rank is negative or gpusPerNode is not positive.
// Source: RANK and LOCAL_RANK of torchrun.
func Locate(rank, gpusPerNode int) (node, local int) {
	panic("TODO: Locate")
}

// EffectiveBatch returns how many examples one optimiser step sees: world ranks, each of which adds up the gradients of
// accumulation batches of perDevice examples. It panics if an argument is not positive.
func EffectiveBatch(perDevice, world, accumulation int) int {
	panic("TODO: EffectiveBatch")
}

// ShardIndices returns which of n examples a rank of world reads, as PyTorch's DistributedSampler without shuffling: every
// world-th, from rank on, the same number for every rank. If world does not divide n, dropLast leaves out the tail;
// otherwise the examples start again from 0 until every rank has as many, several times over if n < world. It panics if n is
// negative, or rank is not in [0, world).
func ShardIndices(n, world, rank int, dropLast bool) []int {
	panic("TODO: ShardIndices")
}

// ParseDevice reads a TensorFlow device string: pieces job:NAME, replica:N, task:N and device:KIND:N, parted by slashes, in
// any order, all optional; NAME is not empty. KIND:N and KIND are short for device:KIND:N and device:KIND:*, and * leaves the index open. A kind
// is CPU, GPU or TPU in any case of letters. Anything else, a piece given twice, and a number that is not decimal digits is an
// error that quotes the piece. Source: tf.DeviceSpec.from_string.
func ParseDevice(s string) (Device, error) {
	panic("TODO: ParseDevice")
}

// VisibleDevices returns the physical GPUs that a process sees, in its own numbering: result[i] is the physical index of its
// device i. env is the value of CUDA_VISIBLE_DEVICES, set whether the variable is set at all, present how many GPUs the
// machine has. Unset, all are visible; set to "", none. An index that is not one of the machine's ends the list: only those
// before it count. UUIDs are out of scope. Source: CUDA Programming Guide, environment variables.
func VisibleDevices(env string, set bool, present int) []int {
	panic("TODO: VisibleDevices")
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
	panic("TODO: ParseSMI")
}

// FreeGPU returns the Index of the GPU with the most free memory, TotalMiB − UsedMiB, the lowest Index where several have as
// much. It is an error that names needMiB if that is less. A GPU whose memory is not reported (−1) does not count.
func FreeGPU(gpus []GPU, needMiB int) (int, error) {
	panic("TODO: FreeGPU")
}

// ExpandHosts returns the hosts of a Slurm host list, in its order: "node[01-03,07],login" is node01, node02, node03, node07
// and login. A name has one bracket at most, of numbers and ranges; a suffix may follow it. A number is written with as many
// digits, at least, as the number it stands at, or the first of its range, has in the list. If the list
// names more than MaxHosts hosts, or one of more than MaxName bytes, that is an error, found before the range is expanded. So
// is a name that is empty or has other characters than ASCII letters, digits, dots, dashes and underscores, a bracket that is
// not closed, an empty bracket, a range that runs backwards. The error quotes the name, or the range in it. Source: Slurm, src/common/hostlist.c.
func ExpandHosts(list string) ([]string, error) {
	panic("TODO: ExpandHosts")
}

// TFConfig returns the TF_CONFIG of worker task for a job whose workers, all of them, listen on port of hosts, in that order. No host,
// an empty one, a port outside 1…65535 and a task that is none of the workers is an error, which says whether it is the port or the
// task. Source: TensorFlow, Multi-worker training with Keras. Its form is
//
//	{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}
func TFConfig(hosts []string, port, task int) ([]byte, error) {
	panic("TODO: TFConfig")
}

// BreakEven returns the smallest size n, 1 ≤ n ≤ limit, at which a job of flops(n) floating-point operations is done sooner by
// moving bytes(n) to the GPU and back than on the CPU: bytes/link + flops/gpu < flops/cpu. cpu and gpu are in flop/s, link in
// byte/s. ok is false if there is none. Nothing is assumed of flops and bytes: they may fall as well as grow. It panics if cpu,
// gpu or link is not positive, as NaN is not.
func BreakEven(flops, bytes func(n int) float64, cpu, gpu, link float64, limit int) (n int, ok bool) {
	panic("TODO: BreakEven")
}
