package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/practice"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// open opens the workbook and finds the one kata that part names.
func (a *app) open(part string) (*workbook.Workbook, *workbook.Kata, error) {
	w, err := workbook.Open(a.dir)
	if err != nil {
		return nil, nil, err
	}
	k, err := kata(w, part)
	return w, k, err
}

// kata finds the one kata that part names, and fails if its files could not be read.
func kata(w *workbook.Workbook, part string) (*workbook.Kata, error) {
	k, err := w.Find(part)
	if err != nil {
		return nil, usageError{err}
	}
	return k, k.Err
}

// katas finds the katas that args name. Without any it is the one around the working directory, or else all.
func (a *app) katas(w *workbook.Workbook, args []string) ([]*workbook.Kata, error) {
	if len(args) == 0 {
		here, err := filepath.Abs(a.dir)
		if err != nil {
			return nil, err
		}
		if real, err := filepath.EvalSymlinks(here); err == nil {
			here = real
		}
		for _, k := range w.Katas {
			if rel, err := filepath.Rel(k.Dir, here); err == nil && filepath.IsLocal(rel) {
				return []*workbook.Kata{k}, k.Err
			}
		}
		return w.Katas, nil
	}
	var found []*workbook.Kata
	for _, part := range args {
		k, err := kata(w, part)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, k) {
			found = append(found, k)
		}
	}
	return found, nil
}

// listFlag is the flag of a command that takes its katas by a list, to do something with them.
func listFlag(c *cobra.Command, names *[]string, do string) {
	c.Flags().StringSliceVar(names, "katas", nil, "the `KATAS` to "+do+", with commas between; default: all")
}

// listed are the katas of that list, each once and in the workbook's order; all if there is no list.
func listed(c *cobra.Command, w *workbook.Workbook, names []string) ([]*workbook.Kata, error) {
	if !c.Flags().Changed("katas") {
		return w.Katas, nil
	}
	if len(names) == 0 {
		names = []string{""} // an empty list names no kata, and is not all of them
	}
	var katas []*workbook.Kata
	for _, name := range names {
		k, err := kata(w, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(katas, k) {
			katas = append(katas, k)
		}
	}
	slices.SortFunc(katas, func(a, b *workbook.Kata) int { return cmp.Compare(slices.Index(w.Katas, a), slices.Index(w.Katas, b)) })
	return katas, nil
}

// proving opens what proves katas: those that args name or, unlike elsewhere, all, wherever the reader stands.
func (a *app) proving(args []string) (w *workbook.Workbook, katas []*workbook.Kata, runner *gotest.Runner, err error) {
	if w, err = workbook.Open(a.dir); err != nil {
		return nil, nil, nil, err
	}
	katas = w.Katas
	if len(args) > 0 {
		if katas, err = a.katas(w, args); err != nil {
			return nil, nil, nil, err
		}
	}
	runner, err = gotest.New(w.Root)
	return w, katas, runner, err
}

// slow says once that a first build takes long.
func (a *app) slow() func() {
	return sync.OnceFunc(func() { fmt.Fprintln(a.talk, practice.StillBuilding) })
}

// journal opens the journal. A run is worth more than its record: if there can be none it says why, and returns nil.
func (a *app) journal(w *workbook.Workbook) progress.Store {
	path, note, err := journal.Path(w.Root)
	if note != "" {
		fmt.Fprintln(a.talk, note)
	}
	if err == nil {
		var j *journal.Journal
		if j, err = journal.Open(path); err == nil {
			return j
		}
	}
	fmt.Fprintf(a.talk, "kata: progress is not kept: %v\n", err)
	if hint := workbook.HintOf(err); hint != "" {
		fmt.Fprintf(a.talk, "hint: %s\n", hint)
	}
	return nil
}

// progress is how far the learner is with each kata, as the journal has it.
func (a *app) progress(w *workbook.Workbook) (p progress.Progress, err error) {
	j := a.journal(w)
	defer closeJournal(j, &err)
	return progress.Of(j)
}

// state is the folder in which progress, hints and figures are kept.
func state(w *workbook.Workbook) (string, error) {
	path, _, err := journal.Path(w.Root)
	return filepath.Dir(path), err
}

// subject is the learner's code, or the reference.
func (a *app) subject(k *workbook.Kata, reference bool) (gotest.Subject, error) {
	if !reference {
		return gotest.Subject{}, nil
	}
	return gotest.Subject{Name: "reference", File: k.Reference()}, k.NeedSolution()
}

// command is how the reader called this program.
func (a *app) command() string {
	name := os.Args[0]
	if strings.ContainsRune(name, filepath.Separator) {
		name = shown(name)
	}
	if a.dir != "." {
		name += " -C " + a.dir
	}
	return name
}

// typed rewrites the commands in a text as the reader would type them: kata list becomes bin/kata list.
func (a *app) typed(text string) string {
	return commands.ReplaceAllString(text, "${1}"+a.command()+" $2")
}

var commands = regexp.MustCompile(`(^|[ (])kata (list|next|practice|test|hint|figure|answer|export|grade|gradebook|verify|mutants|overlay|help|completion|--help|COMMAND)\b`)

// view renders a kata and its Reports for a reader in the working directory.
func (a *app) view(w *workbook.Workbook, k *workbook.Kata) terminal.View {
	return terminal.View{Path: inWorkbook(w), Command: a.command(), All: a.typed("kata test -v " + k.Number), Width: terminal.Width(os.Stdout)}
}

// inWorkbook is shown for a path from the workbook's root.
func inWorkbook(w *workbook.Workbook) func(string) string {
	return func(path string) string {
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.Root, path)
		}
		return shown(path)
	}
}

// shown is how a reader in the working directory would type a path.
func shown(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(here); err == nil {
		here = real
	}
	if rel, err := filepath.Rel(here, path); err == nil {
		return rel
	}
	return path
}

// line writes v as one line of JSON.
func (a *app) line(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// complete offers the names of katas to a shell.
func (a *app) complete(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	w, err := workbook.Open(a.dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, k := range w.Katas {
		names = append(names, k.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// closeJournal joins the error of closing j, which may be nil, to err.
func closeJournal(j progress.Store, err *error) {
	if j != nil {
		*err = errors.Join(*err, j.Close())
	}
}
