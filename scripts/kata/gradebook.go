package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/gradebook"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/workbook"
)

func (a *app) gradebook() *cobra.Command {
	var file, format, html, deadline, late, most string
	var grace time.Duration
	c := &cobra.Command{
		Use:   "gradebook",
		Short: "Show what a class was given: for people, spreadsheets and programs",
		Long: `Gradebook shows the marks that kata grade gave: a line a student, and for each kata which steps and mistakes were the most frequent.

--format csv writes a row a student, json a line a student and kata with the whole Report, junit what CI systems read. --html DIR writes a page a student,
which shows no hidden input, and class.html.

--late 10% takes a tenth of the points for every day begun after --deadline.`,
		Args: words(0, 0),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			p, err := policy(deadline, late, most, grace)
			if err != nil {
				return usageError{err}
			}
			w, j, err := a.marks(file)
			if err != nil {
				return err
			}
			defer closeJournal(j, &err)
			marks, err := j.Marks()
			if err != nil {
				return err
			}
			if len(marks) == 0 {
				return workbook.Errorf("kata grade SUBMISSIONS… gives some; --journal FILE names another journal", "there are no marks in %s", shown(j.Path))
			}
			var order []string
			for _, k := range w.Katas {
				order = append(order, k.Name)
			}
			b := gradebook.New(marks, order, p)
			if html != "" {
				if err := b.HTML(html); err != nil {
					return err
				}
				fmt.Fprintf(a.talk, "%s/class.html and a page for each of %d students are written\n", strings.TrimSuffix(html, "/"), len(b.Rows))
				if !c.Flags().Changed("format") {
					return nil
				}
			}
			write := map[string]func(io.Writer) error{"text": b.Text, "csv": b.CSV, "json": b.JSON, "junit": b.JUnit}[format]
			if write == nil {
				return usageError{fmt.Errorf("no format %q: text, csv, json or junit", format)}
			}
			return write(a.out)
		},
	}
	f := c.Flags()
	a.journalFlag(c, &file)
	f.StringVar(&format, "format", "text", "`FORMAT`: text, csv, json or junit")
	f.StringVar(&html, "html", "", "write pages into `DIR`")
	f.StringVar(&deadline, "deadline", "", "`TIME` until which nothing is late: 2026-11-30, 2026-11-30T23:59 (here), or with a zone: 2026-11-30T23:59:00Z")
	f.StringVar(&late, "late", "0%", "what every day begun costs, in `PER CENT` of the points")
	f.StringVar(&most, "late-most", "100%", "the most that lateness costs, in `PER CENT`")
	f.DurationVar(&grace, "grace", 0, "how long after the deadline nothing is late: 15m")
	c.AddCommand(a.correct(), a.merge())
	return c
}

// correct sets a mark by hand.
func (a *app) correct() *cobra.Command {
	var file, reason string
	c := &cobra.Command{
		Use:   "set STUDENT KATA POINTS --reason TEXT",
		Short: "Set a mark by hand, with the reason, which every export shows",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 3 {
				return fmt.Errorf("set needs a student, a kata and the points")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) (err error) {
			points, err := strconv.Atoi(args[2])
			switch {
			case err != nil || points < 0:
				return usageError{fmt.Errorf("%q is no number of points", args[2])}
			case strings.TrimSpace(reason) == "":
				return usageError{workbook.Errorf("--reason TEXT: the student and your colleagues will read it", "a mark is not set without a reason")}
			}
			w, j, err := a.marks(file)
			if err != nil {
				return err
			}
			defer closeJournal(j, &err)
			k, err := kata(w, args[1])
			if err != nil {
				return err
			}
			marks, err := j.Marks()
			if err != nil {
				return err
			}
			for _, m := range marks {
				if m.Student != args[0] || m.Kata != k.Name {
					continue
				}
				if points > m.Max {
					return usageError{fmt.Errorf("%s is worth %d points, not %d", k.Name, m.Max, points)}
				}
				if err := j.Correct(m.Student, m.Kata, journal.Correction{Score: points, Reason: reason, Made: time.Now()}); err != nil {
					return err
				}
				fmt.Fprintf(a.talk, "%s, %s: %d in place of %d of %d points\n", m.Student, m.Kata, points, m.Counts(), m.Max)
				return nil
			}
			return usageError{workbook.Errorf("kata gradebook lists the students", "%s has no mark for %s", args[0], k.Name)}
		},
	}
	a.journalFlag(c, &file)
	c.Flags().StringVar(&reason, "reason", "", "why, in a `TEXT`")
	return c
}

// merge joins what shards graded.
func (a *app) merge() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "merge JOURNAL…",
		Short: "Take over the marks of other journals, of shards for example",
		Long:  `Merge takes over the marks of other journals. In any order and twice without harm: of two marks for one student and kata the one graded last counts.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("merge needs the journals to take over")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) (err error) {
			_, j, err := a.marks(file)
			if err != nil {
				return err
			}
			defer closeJournal(j, &err)
			for _, other := range args {
				n, err := j.Merge(other)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.talk, "%s: %d new marks\n", shown(other), n)
			}
			return nil
		},
	}
	a.journalFlag(c, &file)
	return c
}

func (a *app) journalFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "journal", "", "the journal `FILE` that keeps the marks; default: the workbook's own")
}

// marks opens the journal with the marks of a class.
func (a *app) marks(file string) (*workbook.Workbook, *journal.Journal, error) {
	w, err := workbook.Open(a.dir)
	if err != nil {
		return nil, nil, err
	}
	if file == "" {
		var note string
		if file, note, err = journal.Path(w.Root); err != nil {
			return nil, nil, err
		}
		if note != "" {
			fmt.Fprintln(a.talk, note)
		}
	}
	j, err := journal.Open(file)
	return w, j, err
}

// policy reads what lateness costs.
func policy(deadline, perDay, most string, grace time.Duration) (p gradebook.Policy, err error) {
	if p.Deadline, err = instant(deadline, true); err != nil {
		return p, err
	}
	if p.PerDay, err = share("--late", perDay); err != nil {
		return p, err
	}
	p.Most, err = share("--late-most", most)
	p.Grace = grace
	if err == nil && p.Deadline.IsZero() && p.PerDay > 0 {
		err = fmt.Errorf("--late needs a --deadline")
	}
	return p, err
}

func share(flag, text string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !strings.HasSuffix(text, "%") || !(x >= 0 && x <= 100) {
		return 0, fmt.Errorf("%s %s: write per cent from 0%% to 100%%", flag, text)
	}
	return x / 100, nil
}

// instant reads a time as people write it. A day alone is its end if end is set. "" is the zero time.
func instant(text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	t, err := time.ParseInLocation("2006-01-02", text, time.Local)
	if err != nil {
		return t, fmt.Errorf("%q is no time: write 2026-11-30, 2026-11-30T23:59 or 2026-11-30T23:59:00+01:00", text)
	}
	if end {
		t = t.AddDate(0, 0, 1)
	}
	return t, nil
}
