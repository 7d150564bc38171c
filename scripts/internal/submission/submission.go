// Package submission finds what students handed in, and reads it: folders, archives and git checkouts, from people whom nobody needs to trust. It
// reads the declared files, one a kata, and nothing else; it writes nothing, and runs nothing but git's plumbing.
//
// # Forms
//
// A submission is a folder, a .zip, .tar, .tar.gz or .tgz, or a git repository (a folder with .git, or a bare one). A kata's file is at
// katas/qNN-topic/<package>.go, at qNN-topic/<package>.go, or is <package>.go alone, below at most three other folders; letters may differ in
// case. A folder without such a file holds, where it lies in a folder of many, the archives that a student uploaded: these are read. Archives in archives
// are not.
//
// An argument is one submission if it is an archive or a repository, if declared files lie at its top, or if its name is a student's: one that a
// learning system wrote, or of the roster. Any other folder is a folder of many, and each thing in it is a submission. A zip is of many, if what lies at
// its top says so: Gradescope's metadata, names that a learning system wrote, or two people of the roster.
//
// # Whose it is
//
// The name of the folder or file says it, as these systems write it:
//
//   - Moodle (mod_assign, since 3.1 with folders): Ann Lee_123456_assignsubmission_file_/ with what was uploaded in it, or before what was uploaded; the
//     number is the participant's. A folder …_assignsubmission_onlinetext_ belongs to the same submission.
//   - Canvas (lib/content_zipper.rb): leeann_12345_67890_hw1.zip: the sortable name, lower-case, without what is no letter; LATE_ if it was; the
//     numbers of user and file; the file's name. Anonymous: anon_x1Y2z_67890_hw1.zip. Several files of one user are one submission. A file that is handed in
//     again is hw1-1.zip.
//   - Blackboard: HW1_alee_attempt_2026-11-01-10-00-00_hw.zip, beside it HW1_alee_attempt_2026-11-01-10-00-00.txt. The time has no zone: it is taken as
//     local. Files of one attempt are one submission.
//   - Gradescope ("Download Submissions"): assignment_1_export/submission_123456/ and submission_metadata.yml, a map from the folder to :submitters (each
//     with :name, :sid, :email) and :created_at. Everybody of a group gets the submission. The key is sid, else email, else name.
//   - GitHub Classroom: repositories hw1-annlee, hw1-bobk and no other submissions beside them: what all begin with, up to a dash, is the
//     assignment.
//
// Otherwise the name itself is the key. These layouts are as the systems' source or tools that read them have them; Gradescope's and Blackboard's source is
// not public.
//
// A roster goes before all this: see Options. Names, keys and identifiers compare after Unicode normalisation (NFC) and trimming, those of a roster
// without regard to case. What is shown of them has no control characters and is at most 100 characters long.
package submission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/workbook"
)

// Submission is what one student handed in.
type Submission struct {
	Student     string    // the key: never empty, unique in a batch, harmless on a screen
	Name        string    // for people; "" if it is not known
	Where       string    // as it was typed, and the entry in it; "" if nothing was handed in
	Submitted   time.Time // zero if it is not known
	SubmittedBy By        // what says so
	Files       map[string]File
	Problems    []Problem // for the student and the teacher
}

// By is where a time comes from.
type By string

// From what is sure to what is a guess. The committer's clock writes a commit's time, the student's machine a file's.
const (
	ByRoster   By = "roster"
	ByMetadata By = "metadata" // Gradescope's
	ByName     By = "name"     // Blackboard's
	ByGit      By = "git"      // the commit's
	ByFile     By = "file"     // the newest of the files that were taken
)

// File is the file of one kata, as it was handed in: a byte order mark and CRLF, which the compiler takes, are still there.
type File struct {
	Path    string // inside the submission
	Content []byte // at most gate.Largest
	SHA256  string // of Content, hex
}

// Problem is why something was not taken, or a thing to know about what was.
type Problem struct {
	Kata    string // "": the whole submission
	Message string
}

// Options say what else is known.
type Options struct {
	// Roster is a CSV file of the class; "": there is none. Columns are found by their header: student, id, login, username, github, email and what systems call
	// these identify a person, and the first of them that is filled is the key; name, or first name and last name; submitted, a time. Who is on
	// it and handed in nothing is a Submission without files.
	Roster string

	// Of a repository the last commit of Branch's own line that is not after Deadline is read. "": what is checked out. Zero: there is no deadline.
	Branch   string
	Deadline time.Time
}

// Handle is a submission that was found and not yet opened.
type Handle struct {
	Student, Name, Where string // as in Submission

	katas     []*workbook.Kata
	parts     []part
	problems  []Problem
	submitted time.Time
	by        By
	identity  identity
}

// maxProblems is how many problems of a whole submission are told; those of its katas are few.
const maxProblems = 20

// Read opens the submission. Nothing that is wrong with it is an error: it is told in Problems. If ctx ends, that is one. Several handles may be read at
// a time.
func (h *Handle) Read(ctx context.Context) Submission {
	s := Submission{
		Student: h.Student, Name: h.Name, Where: h.Where, Submitted: h.submitted, SubmittedBy: h.by,
		Files: map[string]File{}, Problems: slices.Clone(h.problems),
	}
	if len(h.parts) == 0 {
		return s
	}
	r := reader{katas: h.katas, submission: &s}
	for _, p := range h.parts {
		r.part(ctx, p)
	}
	r.choose(ctx)
	if s.Submitted.IsZero() {
		s.Submitted, s.SubmittedBy = r.time, r.by
	}
	if len(s.Files) == 0 && !slices.ContainsFunc(s.Problems[len(h.problems):], func(p Problem) bool { return p.Kata != "" }) {
		r.nothing()
	}
	more := -maxProblems
	s.Problems = slices.DeleteFunc(s.Problems, func(p Problem) bool {
		if p.Kata == "" {
			more++
		}
		return p.Kata == "" && more > 0
	})
	if more > 0 {
		s.Problems = append(s.Problems, Problem{"", fmt.Sprintf("there are %d more such problems", more)})
	}
	return s
}

// reader gathers what the parts of one submission hold.
type reader struct {
	katas      []*workbook.Kata
	submission *Submission
	sources    []opened
	others     []string // names of Go files that are none of the declared ones
	time       time.Time
	by         By
}

// opened is a source whose entries are known.
type opened struct {
	part
	entries []entry
}

func (r *reader) say(kata, format string, args ...any) {
	r.submission.Problems = append(r.submission.Problems, Problem{kata, clean(fmt.Sprintf(format, args...), 600)})
}

// part opens a part; of a folder that holds no declared files, the archives in it.
func (r *reader) part(ctx context.Context, p part) {
	entries, ok := r.open(ctx, p)
	if !ok {
		return
	}
	declared := slices.ContainsFunc(entries, func(e entry) bool { return len(matches(r.katas, e.name)) > 0 })
	var archives, unknown []string
	for _, e := range entries {
		if e.kind != regular || skipped(path.Dir(e.name)) || strings.Count(e.name, "/") > 1 {
			continue
		}
		if isArchive(e.name) {
			archives = append(archives, e.name)
		} else if _, other := cutSuffix(e.name, otherArchives); other {
			unknown = append(unknown, e.name)
		}
	}
	inside, isFolder := p.source.(folder)
	switch {
	case len(archives) == 0:
		if len(unknown) > 0 && !declared {
			r.say("", "this is not opened: %s; ask for a .zip or .tar.gz", list(unknown))
		}
	case !isFolder:
		if !declared {
			r.say("", "archives in an archive are not opened: %s", list(archives))
		}
	case declared:
		r.say("", "there are declared files beside it, so this was not opened: %s", list(archives))
	case len(archives) > maxParts:
		r.say("", "there are %d archives in it; at most %d are opened", len(archives), maxParts)
	default:
		for _, name := range archives {
			r.open(ctx, part{label: join(p.label, name), source: archive{inside.dir, name}})
		}
	}
}

// maxParts is how many archives of one folder are opened.
const maxParts = 20

func (r *reader) open(ctx context.Context, p part) ([]entry, bool) {
	entries, err := p.source.list(ctx)
	if err == nil && len(entries) > maxEntries {
		err = errEntries()
	}
	if err != nil {
		r.say("", "%s", join(p.label, plain(err)))
		return nil, false
	}
	safe := entries[:0]
	for _, e := range entries {
		name, why := cleanPath(e.name)
		if why != "" {
			r.say("", "%s is passed over: its name %s", join(p.label, quote(e.name)), why)
			continue
		}
		e.name = name
		safe = append(safe, e)
	}
	r.sources = append(r.sources, opened{p, safe})
	return safe, true
}

// candidate is an entry that may be a kata's file.
type candidate struct {
	entry
	source int
	path   string // with the source's label
	rank   int
}

// choose takes the one file of every kata that is best, and reads it.
func (r *reader) choose(ctx context.Context) {
	found := map[*workbook.Kata][]candidate{}
	for i, o := range r.sources {
		for _, e := range o.entries {
			for _, m := range matches(r.katas, e.name) {
				found[m.kata] = append(found[m.kata], candidate{e, i, join(o.label, e.name), m.rank})
			}
			if e.kind == link {
				r.link(o, e)
			}
			if e.kind == regular && strings.HasSuffix(e.name, ".go") && !skipped(path.Dir(e.name)) {
				r.others = append(r.others, join(o.label, e.name))
			}
		}
	}
	wanted := make([][]entry, len(r.sources))
	whose := make([][]*workbook.Kata, len(r.sources))
	for _, k := range r.katas {
		if best, ok := r.best(k, found[k]); ok {
			wanted[best.source] = append(wanted[best.source], best.entry)
			whose[best.source] = append(whose[best.source], k)
		}
	}
	for i, o := range r.sources {
		if len(wanted[i]) == 0 {
			continue
		}
		contents, err := o.read(ctx, wanted[i])
		if err != nil {
			r.say("", "%s", join(o.label, plain(err)))
			continue
		}
		for j, c := range contents {
			r.take(whose[i][j], o, wanted[i][j], c)
		}
	}
}

// link tells of a link in the place of a folder that would hold declared files.
func (r *reader) link(o opened, e entry) {
	base := path.Base(e.name)
	if skipped(path.Dir(e.name)) {
		return
	}
	if strings.EqualFold(base, "katas") {
		r.say("", "%s is a link, and links are not followed", join(o.label, e.name))
	}
	for _, k := range r.katas {
		if strings.EqualFold(base, k.Name) {
			r.say(k.Name, "%s is a link, and links are not followed", join(o.label, e.name))
		}
	}
}

func (r *reader) best(k *workbook.Kata, all []candidate) (candidate, bool) {
	if len(all) == 0 {
		return candidate{}, false
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Or(a.rank-b.rank, strings.Compare(a.path, b.path)) })
	var same, paths []string
	for _, c := range all {
		if c.rank == all[0].rank {
			same = append(same, c.path)
		}
		paths = append(paths, c.path)
	}
	switch best := all[0]; {
	case len(same) > 1:
		r.say(k.Name, "%d files could be it: %s; none was taken", len(same), list(same))
	case best.kind != regular:
		r.say(k.Name, "%s is %s, and no regular file", best.path, best.kind)
	default:
		if len(all) > 1 {
			r.say(k.Name, "%s was taken; this was not: %s", best.path, list(paths[1:]))
		}
		return best, true
	}
	return candidate{}, false
}

func (r *reader) take(k *workbook.Kata, o opened, e entry, c content) {
	name := join(o.label, e.name)
	switch {
	case c.err != nil:
		r.say(k.Name, "%s: %s", name, plain(c.err))
		return
	case len(c.data) > gate.Largest:
		r.say(k.Name, "%s has more than %d KiB", name, gate.Largest>>10)
		return
	}
	r.submission.Files[k.Name] = File{Path: clean(name, 400), Content: c.data, SHA256: workbook.SumOf(c.data)}
	if y := e.time.Year(); e.time.After(r.time) && 1980 <= y && y < 9000 { // others are nonsense, and some cannot be written down
		r.time, r.by = e.time, ByFile
		if _, ok := o.source.(*repository); ok {
			r.by = ByGit
		}
	}
}

// nothing says that there is none of the declared files, and what they would be called.
func (r *reader) nothing() {
	if len(r.sources) == 0 || len(r.katas) == 0 {
		return
	}
	k := r.katas[0]
	want := "a kata's file is at katas/" + k.Name + "/" + k.Package + ".go, or is " + k.Package + ".go alone"
	switch empty := !slices.ContainsFunc(r.sources, func(o opened) bool { return len(o.entries) > 0 }); {
	case empty:
		r.say("", "it is empty: %s", want)
	case len(r.others) > 0:
		r.say("", "it has none of the declared files, but %s: %s", list(r.others), want)
	default:
		r.say("", "it has none of the declared files: %s", want)
	}
}

// list names some files.
func list(names []string) string {
	const most = 4
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// join puts a label before a name or a message.
func join(label, name string) string {
	if label == "" {
		return name
	}
	return label + ": " + name
}

// plain is an error's text without what only programmers read.
func plain(err error) string {
	if errors.Is(err, context.Canceled) {
		return "it was interrupted"
	}
	return clean(err.Error(), 400)
}
