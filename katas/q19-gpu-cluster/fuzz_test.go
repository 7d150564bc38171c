package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	cluster "whyhow/katas/q19-gpu-cluster"
)

// Text from outside may be anything. No text makes a parser panic, and what it accepts keeps these rules. Try your own:
//
//	go test ./katas/q19-gpu-cluster -run '^$' -fuzz FuzzHosts -fuzztime 20s -fuzzminimizetime 10x

func FuzzParseDevice(f *testing.F) {
	defer check.Rescue(f)
	for _, s := range []string{"", "/", "/job:worker/replica:0/task:1/device:GPU:0", "gpu:3", "/TPU", "/device:cpu:*", "/job:a/job:b", "/task:-1", "GPU:0/CPU:0", "::", "/device:GPU:0:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		defer check.Rescue(t)
		d, err := cluster.ParseDevice(s)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, min(d.Replica, d.Task, d.Index), -1, "ParseDevice(%q)", s)
		require.Contains(t, []string{"", "CPU", "GPU", "TPU"}, d.Kind, "ParseDevice(%q)", s)
		var full string
		if d.Job != "" {
			full += "/job:" + d.Job
		}
		for _, piece := range []struct {
			name  string
			value int
		}{{"/replica:", d.Replica}, {"/task:", d.Task}, {"/device:" + d.Kind + ":", d.Index}} {
			if piece.value >= 0 {
				full += piece.name + fmt.Sprint(piece.value)
			} else if piece.name == "/device:"+d.Kind+":" && d.Kind != "" {
				full += piece.name + "*"
			}
		}
		again, err := cluster.ParseDevice(full)
		require.NoError(t, err, "ParseDevice(%q), the full form of %q", full, s)
		check.Equal(t, fmt.Sprintf("ParseDevice(%q), the full form of %q", full, s), again, d, check.Exact)
	})
}

func FuzzVisibleDevices(f *testing.F) {
	defer check.Rescue(f)
	for _, s := range []string{"", "0", "2,1", "0,2,-1,1", "-1", "3,7,0", "1,none,0", ",", "0,", "99999999999999999999", "0x1", "1e0"} {
		f.Add(s, true, 4)
	}
	f.Add("", false, 3)
	f.Add("0", true, 0)
	f.Fuzz(func(t *testing.T, env string, set bool, present int) {
		defer check.Rescue(t)
		present = min(max(present, -1), 64)
		ids := cluster.VisibleDevices(env, set, present)
		call := fmt.Sprintf("VisibleDevices(%q, %t, %d) = %v", env, set, present, ids)
		for _, id := range ids {
			require.True(t, id >= 0 && id < present, "%s: the machine has no GPU %d", call, id)
		}
		if set {
			require.LessOrEqual(t, len(ids), strings.Count(env, ",")+1, "%s: more GPUs than the list has", call)
		} else {
			require.Len(t, ids, max(present, 0), "%s: all are visible", call)
		}
	})
}

func FuzzParseSMI(f *testing.F) {
	defer check.Rescue(f)
	for _, s := range []string{
		"", header, "No devices were found\n",
		header + "0, NVIDIA L4, 23034 MiB, 412 MiB, 3 %\n1, NVIDIA H100 PCIe, 81559 MiB, 10 MiB, [N/A]\n",
		strings.ReplaceAll(header+"0, GRID K1, [Not Supported], [N/A], 100 %\n", "\n", "\r\n"),
		header + "0, \"a\nb\", 1 MiB, 1 MiB, 1 %", header + "0, x, -1 MiB, 1 GiB, 1", header + "\n\n,,,,\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer check.Rescue(t)
		gpus, err := cluster.ParseSMI(strings.NewReader(text))
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(gpus), strings.Count(text, "\n"), "ParseSMI(%q): more GPUs than lines after the header", text)
		for _, g := range gpus {
			require.GreaterOrEqual(t, g.Index, 0, "ParseSMI(%q): index", text)
			require.GreaterOrEqual(t, min(g.TotalMiB, g.UsedMiB, g.Utilization), -1, "ParseSMI(%q)", text)
		}
		id, err := cluster.FreeGPU(gpus, 0)
		if err == nil {
			require.True(t, slices.ContainsFunc(gpus, func(g cluster.GPU) bool { return g.Index == id }), "FreeGPU(%v) = %d is none of them", gpus, id)
		}
	})
}

func FuzzHosts(f *testing.F) {
	defer check.Rescue(f)
	for _, s := range []string{
		"", "login", "node[01-03,07],login", "rack[2-3]-ib", "n[1-999999999]", "n[0-9223372036854775807]", "n[9223372036854775807]",
		"n[", "n]", "n[]", "n[3-1]", "a,,b", "n[1-2]m[3-4]", "n[[1]]", "n[1-2-3]", "n[00000000000000000001-2]", "[1-3]", "\x00", "ä[1]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		defer check.Rescue(t)
		hosts, err := expand(list)
		if err != nil {
			return
		}
		require.True(t, len(hosts) > 0 && len(hosts) <= cluster.MaxHosts, "ExpandHosts(%q) names %d hosts", list, len(hosts))
		for _, h := range hosts {
			require.True(t, h != "" && len(h) <= cluster.MaxName && !strings.ContainsAny(h, "[], \n"), "ExpandHosts(%q) names a host %q", list, h)
		}
		again, err := expand(strings.Join(hosts, ","))
		require.NoError(t, err, "ExpandHosts of the hosts of %q", list)
		require.Equal(t, hosts, again, "ExpandHosts of the hosts of %q", list)
	})
}
