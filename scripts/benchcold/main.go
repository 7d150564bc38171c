//go:build linux

// Benchcold measures what a learner waits for on a machine on which nothing has been built: from make practice to the first verdict, against plain
// go test of the same kata. Each side has an empty build cache of its own and the machine's modules; the sides take turns.
//
//	go run ./benchcold [-pairs 3]
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"whyhow/scripts/internal/workbook"
)

func main() {
	pairs := flag.Int("pairs", 3, "how many times each side runs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *pairs); err != nil {
		fmt.Fprintf(os.Stderr, "benchcold: %v\n", err)
		stop()
		os.Exit(3)
	}
}

// cost is what one run took.
type cost struct{ cpu, wall time.Duration }

func measure(ctx context.Context, pairs int) error {
	w, err := workbook.Open(".")
	if err != nil {
		return err
	}
	kata := w.Katas[0].Name
	fmt.Printf("%s, %d pairs, each run with an empty build cache\n", kata, pairs)
	var cpu, wall []float64
	for i := range pairs {
		var took [2]cost
		for n := range took {
			side := (n + i) % 2
			run := practice
			if side == 1 {
				run = plain
			}
			if took[side], err = fresh(ctx, w.Root, kata, run); err != nil {
				return err
			}
		}
		ours, theirs := took[0], took[1]
		fmt.Printf("  make practice %3.0f s of CPU, %3.0f s   go test %3.0f s of CPU, %3.0f s\n", ours.cpu.Seconds(), ours.wall.Seconds(), theirs.cpu.Seconds(), theirs.wall.Seconds())
		cpu = append(cpu, ours.cpu.Seconds()/theirs.cpu.Seconds())
		wall = append(wall, ours.wall.Seconds()/theirs.wall.Seconds())
	}
	slices.Sort(cpu)
	slices.Sort(wall)
	fmt.Printf("ratio %.2f\nratio of wall time %.2f\n", cpu[pairs/2], wall[pairs/2])
	return nil
}

// fresh runs one side in a copy of the workbook with nothing built.
func fresh(ctx context.Context, root, kata string, run func(ctx context.Context, dir, kata string, env []string) (cost, error)) (c cost, err error) {
	dir, err := os.MkdirTemp("", "benchcold-")
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	checkout := filepath.Join(dir, "whyhow")
	if err := workbook.Copy(checkout, root, "katas", "hints", "solutions", "scripts", "Makefile", "go.mod", "go.sum"); err != nil {
		return cost{}, err
	}
	env := append(os.Environ(), "GOCACHE="+filepath.Join(dir, "cache"), "GOFLAGS=-buildvcs=false", "MAKEFLAGS=", "MAKELEVEL=", "CGO_ENABLED=")
	return run(ctx, checkout, kata, env)
}

// plain is go test to its end.
func plain(ctx context.Context, dir, kata string, env []string) (cost, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "./katas/"+kata)
	cmd.Dir, cmd.Env = dir, env
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); ctx.Err() != nil || err != nil && !errors.As(err, &exit) || !bytes.Contains(out, []byte("--- FAIL")) {
		return cost{}, fmt.Errorf("%s: %w\n%s", cmd, errors.Join(err, ctx.Err()), out) // the stubs fail; anything else is no measure
	}
	return cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), time.Since(start)}, nil
}

// verdict is the line of a step in what practice prints.
var verdict = regexp.MustCompile(`^\s+\S+ Test\w+ `)

// practice is make practice to its first verdict.
func practice(ctx context.Context, dir, _ string, env []string) (c cost, err error) {
	cmd := exec.CommandContext(ctx, "make", "practice")
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return cost{}, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	for lines := bufio.NewScanner(out); c.cpu == 0 && lines.Scan(); {
		if verdict.MatchString(lines.Text()) {
			c.wall = time.Since(start)
			if c.cpu, err = usedBy(cmd.Process.Pid); err != nil {
				return cost{}, err
			}
		}
	}
	_, _ = io.Copy(io.Discard, out) // let it come to its own end
	if err := cmd.Wait(); err != nil || c.cpu == 0 {
		return cost{}, fmt.Errorf("make practice: no verdict: %w", err)
	}
	return c, nil
}

// usedBy is the CPU time of a process and of all that it started, whether that runs or has ended: fields 14 to 17 of proc(5)'s stat.
func usedBy(root int) (time.Duration, error) {
	parents, ticks := map[int]int{}, map[int]int64{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		i := bytes.LastIndexByte(text, ')')
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(string(text[i+1:]))
		parents[pid], _ = strconv.Atoi(fields[1])
		for _, f := range fields[11:15] {
			n, _ := strconv.ParseInt(f, 10, 64)
			ticks[pid] += n
		}
	}
	var sum int64
	for pid := range ticks {
		for p := pid; p > 1; p = parents[p] {
			if p == root {
				sum += ticks[pid]
				break
			}
		}
	}
	const perSecond = 100 // USER_HZ, the same on every Linux that Go runs on
	return time.Duration(sum) * time.Second / perSecond, nil
}
