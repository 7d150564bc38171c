// Benchgrade measures kata grade against a loop of plain go test over the same submissions, all of them right, by CPU time: first where every student's files are
// others, then for a class of 200 that draws its files from the references and the other right answers.
//
//	go run ./benchgrade [-students 6] [-class 200]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"whyhow/scripts/internal/workbook"
)

func main() {
	students := flag.Int("students", 6, "how many students whose files are others than everybody's")
	class := flag.Int("class", 200, "how many students who draw theirs from the same few")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *students, *class); err != nil {
		fmt.Fprintf(os.Stderr, "benchgrade: %v\n", err)
		stop()
		os.Exit(3)
	}
}

func measure(ctx context.Context, students, class int) (err error) {
	w, err := workbook.Open(".")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "benchgrade-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	answers, err := answersOf(w)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	own, same := filepath.Join(dir, "own"), filepath.Join(dir, "same")
	for i := range students {
		name := fmt.Sprintf("s%03d", i)
		if err := handIn(filepath.Join(own, name), w, answers, rng, "\n// "+name+" wrote this.\n"); err != nil {
			return err
		}
	}
	for i := range class {
		if err := handIn(filepath.Join(same, fmt.Sprintf("s%03d", i)), w, answers, rng, ""); err != nil {
			return err
		}
	}

	checkout := filepath.Join(dir, "whyhow")
	if err := workbook.Copy(checkout, w.Root, "katas", "go.mod", "go.sum"); err != nil {
		return err
	}
	plain := func(folder string) (time.Duration, error) {
		for _, k := range w.Katas {
			rel := workbook.Display(w.Root, k.File)
			text, err := os.ReadFile(filepath.Join(folder, rel))
			if err == nil {
				err = os.WriteFile(filepath.Join(checkout, rel), text, 0o666)
			}
			if err != nil {
				return 0, err
			}
		}
		return cpu(ctx, checkout, "go", "test", "./katas/...")
	}
	grade := func(folder, journal string) (time.Duration, error) {
		return cpu(ctx, w.Root, filepath.Join(w.Root, "bin", "kata"), "grade", folder, "--journal", filepath.Join(dir, journal), "--jobs", "2")
	}
	// What both need besides the submissions is compiled before.
	first := filepath.Join(own, "s000")
	if _, err := plain(first); err != nil {
		return err
	}
	if _, err := grade(first, "warm.db"); err != nil {
		return err
	}
	var theirs time.Duration
	for i := range students {
		if i == 0 {
			continue // plain go test would find its results in its cache
		}
		took, err := plain(filepath.Join(own, fmt.Sprintf("s%03d", i)))
		if err != nil {
			return err
		}
		theirs += took
	}
	each := theirs.Seconds() / float64(students-1)
	ours, err := grade(own, "own.db")
	if err != nil {
		return err
	}
	fmt.Printf("ratio %.2f\n  every file another: kata grade %.1f s of CPU a student, go test %.1f s\n", ours.Seconds()/float64(students)/each, ours.Seconds()/float64(students), each)
	if ours, err = grade(same, "same.db"); err != nil {
		return err
	}
	fmt.Printf("ratio of a class of %d %.2f\n  files drawn from the same few: kata grade %.2f s of CPU a student\n", class, ours.Seconds()/float64(class)/each, ours.Seconds()/float64(class))
	return nil
}

// answersOf returns the right answers to every kata.
func answersOf(w *workbook.Workbook) (map[string][][]byte, error) {
	all := map[string][][]byte{}
	for _, k := range w.Katas {
		files := []string{k.Reference()}
		others, err := k.Alternatives()
		if err != nil {
			return nil, err
		}
		for _, a := range others {
			files = append(files, a.File)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			all[k.Name] = append(all[k.Name], text)
		}
	}
	return all, nil
}

// handIn writes a submission of right answers, each with a line at its end.
func handIn(dir string, w *workbook.Workbook, answers map[string][][]byte, rng *rand.Rand, line string) error {
	for _, k := range w.Katas {
		file := filepath.Join(dir, workbook.Display(w.Root, k.File))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		text := answers[k.Name][rng.IntN(len(answers[k.Name]))]
		if err := os.WriteFile(file, append(append([]byte(nil), text...), line...), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// cpu runs a command and returns the CPU time that it and what it started took.
func cpu(ctx context.Context, dir, name string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
