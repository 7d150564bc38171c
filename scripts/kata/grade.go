package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"charm.land/bubbles/v2/progress"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/grade"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/sandbox"
	"whyhow/scripts/internal/submission"
	"whyhow/scripts/internal/workbook"
)

// gradeFlags are the flags of kata grade.
type gradeFlags struct {
	katas                    []string
	roster, branch, deadline string
	journal, sandbox, shard  string
	seed                     uint64
	jobs                     int
}

func (a *app) grade() *cobra.Command {
	var f gradeFlags
	c := &cobra.Command{
		Use:   "grade SUBMISSIONS…",
		Short: "Give marks for what a class handed in",
		Long: `Grade reads folders, .zip and .tar.gz files and git checkouts, one submission each, or a folder of many; compiles and runs the katas of each in a sandbox, with the
tests that everybody has and with hidden ones on random inputs; and keeps the marks in the journal. kata gradebook shows them.

A step counts if its test and its hidden test pass. What was judged before, the same file by the same tests, is not judged again: after Ctrl-C, or when a test was mended, the same
command does what is missing, and says whose marks changed.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("grade needs submissions: folders, .zip or .tar.gz files, git checkouts")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.gradeAll(c, args, f) },
	}
	fs := c.Flags()
	listFlag(c, &f.katas, "grade")
	fs.StringVar(&f.roster, "roster", "", "the class: a CSV `FILE` with a column student, id, login, github or email, and, if you like, name and submitted")
	fs.StringVar(&f.branch, "branch", "", "of git checkouts: the `BRANCH`; default: what is checked out")
	fs.StringVar(&f.deadline, "deadline", "", "of git checkouts: the last commit until this `TIME` counts: 2026-11-30, 2026-11-30T23:59")
	fs.StringVar(&f.sandbox, "sandbox", "", "`KIND`: bubblewrap, landlock, or none if you trust the code; default: the best that works here")
	fs.StringVar(&f.shard, "shard", "", "grade a part of the students, `I/N`: 3/8 is the third of eight; auto/8 takes the number from the array job's environment")
	fs.Uint64Var(&f.seed, "seed", 0, "`N` from which the hidden tests' random inputs come; default: one that the journal keeps, and nobody can guess")
	fs.IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "how many submissions are graded at a time")
	a.journalFlag(c, &f.journal)
	return c
}

func (a *app) gradeAll(c *cobra.Command, args []string, f gradeFlags) (err error) {
	ctx := c.Context()
	w, j, err := a.marks(f.journal)
	if err != nil {
		return err
	}
	defer closeJournal(j, &err)
	katas, err := listed(c, w, f.katas)
	if err != nil {
		return err
	}
	deadline, err := instant(f.deadline, true)
	if err != nil {
		return usageError{err}
	}
	handles, err := submission.Find(ctx, katas, args, submission.Options{Roster: f.roster, Branch: f.branch, Deadline: deadline})
	if err != nil {
		return err
	}
	if handles, err = inShard(handles, f.shard); err != nil {
		return usageError{err}
	}
	g, err := a.grader(ctx, w, j, katas, f)
	if err != nil {
		return err
	}
	return a.gradeHandles(ctx, g, handles, max(f.jobs, 1))
}

// grader prepares the judge: the sandbox, and what is compiled once for all.
func (a *app) grader(ctx context.Context, w *workbook.Workbook, j *journal.Journal, katas []*workbook.Kata, f gradeFlags) (*grade.Grader, error) {
	box, err := sandbox.Find(f.sandbox)
	if err != nil {
		return nil, err
	}
	for _, lack := range box.Lacks() {
		fmt.Fprintf(a.talk, "sandbox %s: %s\n", box.Name(), lack)
	}
	runner, err := gotest.New(w.Root)
	if err != nil {
		return nil, err
	}
	seed := f.seed
	if seed == 0 {
		if seed, err = j.Seed(func() uint64 {
			var b [8]byte
			_, _ = rand.Read(b[:]) // it never fails
			return binary.LittleEndian.Uint64(b[:])>>1 | 1
		}); err != nil {
			return nil, err
		}
	}
	g := &grade.Grader{Runner: runner, Journal: j, Katas: katas, Seed: seed, Sandbox: box.Name()}
	if err := g.Begin(); err != nil {
		return nil, err
	}
	defer time.AfterFunc(3*time.Second, func() { fmt.Fprintln(a.talk, "compiling what the tests need: the first time that takes a minute") }).Stop()
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, workbook.Errorf("set HOME, or XDG_CACHE_HOME", "there is no place for what the tests need: %w", err)
	}
	return g, grade.Confine(ctx, runner, box, filepath.Join(cache, "whyhow", "grade"), katas)
}

// gradeHandles grades submissions, so many at a time, and says what came of it.
func (a *app) gradeHandles(ctx context.Context, g *grade.Grader, handles []*submission.Handle, jobs int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	bar := newBar(a, len(handles))
	work := make(chan *submission.Handle)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for h := range work {
				s := h.Read(ctx)
				if ctx.Err() != nil {
					continue
				}
				r, err := g.Grade(ctx, s)
				if err != nil {
					cancel(fmt.Errorf("%s: %w", s.Student, err))
					continue
				}
				bar.graded(s, r)
			}
		})
	}
send:
	for _, h := range handles {
		select {
		case work <- h:
		case <-ctx.Done():
			break send
		}
	}
	close(work)
	workers.Wait()
	bar.end()
	if ctx.Err() != nil {
		fmt.Fprintf(a.talk, "stopped: %d of %d are graded, and their marks kept; the same command does the rest\n", bar.done, len(handles))
		return context.Cause(ctx)
	}
	fmt.Fprintf(a.talk, "%d graded, %d files judged anew; the marks are in %s\n", len(handles), bar.judged, shown(g.Journal.Path))
	_, err := fmt.Fprintln(a.talk, a.typed("kata gradebook shows them"))
	return err
}

// bar shows how far grading is, and tells what a teacher must know. Several may report at a time.
type bar struct {
	sync.Mutex
	a                *app
	view             *progress.Model // nil where nobody sees it move
	of, done, judged int
	start            time.Time
}

func newBar(a *app, of int) *bar {
	b := &bar{a: a, of: of, start: time.Now()}
	if term.IsTerminal(os.Stderr.Fd()) {
		m := progress.New(progress.WithWidth(30), progress.WithoutPercentage())
		b.view = &m
		b.draw("")
	}
	return b
}

const wipe = "\r\x1b[K"

func (b *bar) draw(student string) {
	if b.view == nil {
		return
	}
	left := ""
	if b.done > 0 && b.done < b.of {
		left = ", about " + time.Duration(float64(time.Since(b.start))/float64(b.done)*float64(b.of-b.done)).Round(time.Second).String() + " left"
	}
	fmt.Fprintf(b.a.talk, "%s%s %d/%d%s  %s", wipe, b.view.ViewAs(float64(b.done)/float64(max(b.of, 1))), b.done, b.of, left, student)
}

// graded counts a submission, and tells what was wrong with it and which marks changed.
func (b *bar) graded(s submission.Submission, r *grade.Result) {
	b.Lock()
	defer b.Unlock()
	b.done++
	b.judged += r.Judged
	say := func(format string, args ...any) {
		if b.view != nil {
			fmt.Fprint(b.a.talk, wipe)
		}
		fmt.Fprintf(b.a.talk, format+"\n", args...)
	}
	for _, p := range s.Problems {
		say("%s: %s%s", s.Student, prefixed(p.Kata), p.Message)
	}
	for _, c := range r.Changes {
		say("%s: %s: %d, was %d: %s", s.Student, c.Kata, c.Now, c.Before, c.Why)
	}
	b.draw(s.Student)
}

func prefixed(kata string) string {
	if kata == "" {
		return ""
	}
	return kata + ": "
}

func (b *bar) end() {
	if b.view != nil {
		fmt.Fprint(b.a.talk, wipe)
	}
}

// inShard keeps the students of one part of many: by a hash of the name, so that a class that grows moves nobody.
func inShard(all []*submission.Handle, shard string) ([]*submission.Handle, error) {
	if shard == "" {
		return all, nil
	}
	i, n, err := shardOf(shard)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(h *submission.Handle) bool {
		sum := fnv.New64a()
		sum.Write([]byte(h.Student))
		return int(sum.Sum64()%uint64(n)) != i-1
	}), nil
}

type array struct {
	name  string
	first int
}

// arrays are the variables in which engines tell a job its number, and the number of the first.
var arrays = []array{{"JOB_COMPLETION_INDEX", 0}, {"AWS_BATCH_JOB_ARRAY_INDEX", 0}, {"SLURM_ARRAY_TASK_ID", 1}}

func shardOf(text string) (i, n int, err error) {
	index, of, ok := strings.Cut(text, "/")
	n, errN := strconv.Atoi(of)
	if !ok || errN != nil || n < 1 {
		return 0, 0, fmt.Errorf("--shard %s: write I/N, 3/8 for the third of eight", text)
	}
	first := 1
	if index == "auto" {
		k := slices.IndexFunc(arrays, func(a array) bool { return os.Getenv(a.name) != "" })
		if k < 0 {
			return 0, 0, errors.New("--shard auto: none of JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX and SLURM_ARRAY_TASK_ID is set")
		}
		index, first = os.Getenv(arrays[k].name), arrays[k].first
	}
	i, err = strconv.Atoi(index)
	if i += 1 - first; err != nil || i < 1 || i > n {
		return 0, 0, fmt.Errorf("--shard %s: there is no part %s of %d", text, cmp.Or(index, "?"), n)
	}
	return i, n, nil
}
