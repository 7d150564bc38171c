package submission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"whyhow/scripts/internal/workbook"
)

// thing is what was found in one place: a submission, or a part of one.
type thing struct {
	where   string
	base    string // its name
	id      identity
	part    part
	problem string // why it is not read; "": it is
}

// finder turns arguments into things.
type finder struct {
	katas   []*workbook.Kata
	roster  *roster // nil: there is none
	options Options
	things  []thing
	many    bool // whether an argument was of many
}

// Find finds the submissions that the arguments name, in the order of their students. It opens no more than it must to know whose they are. A
// submission that cannot be read is no error. These are: an argument that is none, a broken roster, a repository where there is no git, and two submissions
// of one student of which none is known to be the newer one. A time is known for this if a roster, a system or a commit says it, and not if it
// is a file's. Where it is, the older submission is named in a Problem of the newer one.
func Find(ctx context.Context, katas []*workbook.Kata, args []string, o Options) ([]*Handle, error) {
	f := finder{options: o}
	for _, k := range katas {
		if k.Package != "" {
			f.katas = append(f.katas, k)
		}
	}
	if o.Roster != "" {
		var err error
		if f.roster, err = readRoster(o.Roster); err != nil {
			return nil, err
		}
	}
	for _, arg := range args {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.argument(ctx, arg); err != nil {
			return nil, err
		}
	}
	if !f.many {
		f.classroom(f.things)
	}
	handles, err := f.newest(ctx, f.owners(f.deposits()))
	if err != nil {
		return nil, err
	}
	handles = append(handles, f.missing()...)
	slices.SortFunc(handles, func(a, b *Handle) int { return strings.Compare(a.Student, b.Student) })
	return handles, nil
}

// argument finds what an argument names: one submission or many.
func (f *finder) argument(ctx context.Context, arg string) error {
	abs, err := filepath.Abs(arg)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return workbook.Errorf("name folders, archives or git checkouts", "there is no %s", clean(arg, 200))
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	base := filepath.Base(abs)
	switch {
	case info.IsDir():
		return f.folder(ctx, arg, real, base)
	case f.file(arg, filepath.Dir(real), filepath.Base(real), base):
		if last := len(f.things) - 1; strings.EqualFold(filepath.Ext(base), ".zip") && f.things[last].problem == "" && f.things[last].id.system == "" && !f.known(f.things[last].id) {
			return f.archive(ctx, last)
		}
		return nil
	case strings.EqualFold(filepath.Ext(base), ".csv"):
		return workbook.Errorf("if it is the class, --roster takes it", "%s is no submission", clean(arg, 200))
	}
	return workbook.Errorf("a submission is a folder, a git checkout, or a .zip, .tar, .tar.gz or .tgz", "%s is no submission", clean(arg, 200))
}

// add adds what is to be read.
func (f *finder) add(where, base string, id identity, s source) {
	f.things = append(f.things, thing{where: clean(where, 300), base: base, id: id, part: part{source: s}})
}

// reject adds what somebody handed in and nobody can read.
func (f *finder) reject(where, base string, format string, args ...any) {
	f.things = append(f.things, thing{where: clean(where, 300), base: base, id: identify(base), problem: fmt.Sprintf(format, args...)})
}

// known says whether a name is somebody's on the roster.
func (f *finder) known(id identity) bool {
	if f.roster == nil {
		return false
	}
	p, _ := f.roster.find(id)
	return p != nil
}

// file adds a file that is a submission, or a part of one, and says whether it is.
func (f *finder) file(where, dir, name, base string) bool {
	id := identify(base)
	switch _, other := cutSuffix(base, otherArchives); {
	case isArchive(base):
		f.add(where, base, id, archive{dir, name})
	case other:
		f.reject(where, base, "%s is an archive that is not opened: ask for a .zip or .tar.gz", base)
	case id.system != "":
		f.add(where, base, id, file{dir, name, again.ReplaceAllString(id.file, "$1")})
	case strings.EqualFold(filepath.Ext(base), ".go"):
		f.reject(where, base, "%s is a single file, which says not whose it is: put it into a folder or an archive named after the student", base)
	default:
		return false
	}
	return true
}

// repository adds a git repository or checkout.
func (f *finder) repository(where, dir, base string) error {
	f.add(where, base, identify(strings.TrimSuffix(base, ".git")), &repository{dir, f.options.Branch, f.options.Deadline})
	return needGit(where)
}

// folder finds what is in a folder that was named.
func (f *finder) folder(ctx context.Context, arg, dir, base string) error {
	if git, ok := gitDir(dir); ok {
		return f.repository(arg, git, base)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	inside, err := readDir(root, ".", maxClass)
	if err != nil {
		return err
	}
	id := identify(base)
	if id.system == "" && !f.known(id) && !slices.ContainsFunc(inside, f.own) {
		before := len(f.things)
		if err := f.inFolder(ctx, arg, dir, root, inside); err != nil || len(f.things) > before {
			return err
		}
	}
	f.add(arg, base, id, folder{dir})
	return nil
}

// maxClass is how many entries a folder of many may have.
const maxClass = 500_000

// own says whether an entry of a folder shows that the folder is one submission.
func (f *finder) own(d fs.DirEntry) bool {
	name := d.Name()
	return strings.EqualFold(name, "katas") || slices.ContainsFunc(f.katas, func(k *workbook.Kata) bool {
		return strings.EqualFold(name, k.Name) || strings.EqualFold(name, k.Package+".go")
	})
}

// passedOver says whether an entry of a folder of many is nobody's: a system's, or an editor's.
func passedOver(name string) bool { return skipped(name) || name == metadataFile }

// inFolder adds what is in a folder of many.
func (f *finder) inFolder(ctx context.Context, arg, dir string, root *os.Root, inside []fs.DirEntry) error {
	var meta map[string]exported
	if file, err := openRegular(root, metadataFile); err == nil {
		meta, err = readMetadata(file)
		file.Close()
		if err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", metadataFile, err)
	}
	f.many = true
	before := len(f.things)
	for _, d := range inside {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := d.Name()
		if passedOver(name) {
			continue
		}
		where, at := filepath.Join(arg, name), filepath.Join(dir, name)
		switch kind := kindOf(d.Type()); kind {
		case directory:
			if git, ok := gitDir(at); ok {
				if err := f.repository(where, git, name); err != nil {
					return err
				}
			} else if err := f.exported(where, name, meta, folder{at}); err != nil {
				return err
			}
		case regular:
			f.file(where, dir, name, name)
		default:
			f.reject(where, name, "%s is %s, which is not followed", name, kind)
		}
	}
	f.classroom(f.things[before:])
	return nil
}

// exported adds a folder, once for everybody whose it is by Gradescope's metadata.
func (f *finder) exported(where, name string, meta map[string]exported, s source) error {
	ids, err := meta[name].identities(name)
	if err != nil {
		return err
	}
	for _, id := range ids {
		f.add(where, name, id, s)
	}
	if len(ids) == 0 {
		f.add(where, name, identify(name), s)
	}
	return nil
}

// classroom takes the assignment's name from those of repositories that lie side by side.
func (f *finder) classroom(things []thing) {
	var names []string
	for _, t := range things {
		if _, ok := t.part.source.(*repository); !ok || t.id.system != "" {
			return
		}
		names = append(names, t.id.name)
	}
	prefix := assignment(names)
	for i := range things {
		if !f.known(things[i].id) {
			things[i].id = plainName(strings.TrimPrefix(names[i], prefix))
		}
	}
}

// archive replaces the last thing, an archive, by what is in it, if it is a zip of many.
func (f *finder) archive(ctx context.Context, last int) error {
	t := f.things[last]
	a := t.part.source.(archive)
	entries, err := a.list(ctx)
	if err != nil {
		return ctx.Err() // what is wrong is told when it is read
	}
	prefix, tops := top(entries)
	meta := slices.Contains(tops, metadataFile)
	tops = slices.DeleteFunc(tops, passedOver)
	named, onRoster := len(tops) > 0, 0
	for _, name := range tops {
		id := identify(name)
		named = named && id.system != ""
		if f.known(id) {
			onRoster++
		}
	}
	if !meta && !named && onRoster < 2 {
		return nil
	}
	if len(entries) > maxEntries {
		return workbook.Errorf("unpack it, and name the folder", "%s holds the submissions of many, and more than %d files and folders", t.where, maxEntries)
	}
	var from map[string]exported
	for _, e := range entries {
		name := strings.TrimPrefix(e.name, prefix)
		if isArchive(name) && strings.Count(name, "/") <= 2 && !skipped(path.Dir(name)) && !passedOver(name) {
			return workbook.Errorf("unpack it, and name the folder", "%s holds the submissions of many, and archives in an archive are not opened: %s", t.where, clean(e.name, 200))
		}
		if name == metadataFile && e.kind == regular {
			if from, err = a.metadata(ctx, e); err != nil {
				return fmt.Errorf("%s: %w", t.where, err)
			}
		}
	}
	f.things = f.things[:last]
	for _, name := range tops {
		where, full := t.where+": "+clean(name, 200), prefix+name
		id := identify(name)
		switch isDir := slices.ContainsFunc(entries, func(e entry) bool { return strings.HasPrefix(e.name, full+"/") }); {
		case isDir:
			err := f.exported(where, name, from, view{a, func(path string) (string, bool) {
				inside, ok := strings.CutPrefix(path, full+"/")
				return inside, ok && inside != ""
			}})
			if err != nil {
				return err
			}
		case id.system != "":
			f.add(where, name, id, view{a, func(path string) (string, bool) { return again.ReplaceAllString(id.file, "$1"), path == full }})
		}
	}
	return nil
}

// metadata reads Gradescope's from a zip, in which it may be larger than a kata's file.
func (a archive) metadata(ctx context.Context, e entry) (meta map[string]exported, err error) {
	err = a.stream(ctx, e, func(r io.Reader) error {
		meta, err = readMetadata(r)
		return err
	})
	return meta, err
}

// top returns the names at the top of an archive, in order, and the one folder that all of them are in, if so.
func top(entries []entry) (prefix string, tops []string) {
	for range 2 {
		tops = nil
		seen := map[string]bool{}
		deeper := true
		for _, e := range entries {
			name, ok := strings.CutPrefix(e.name, prefix)
			first, _, isDir := strings.Cut(name, "/")
			if !ok || first == "" || skipped(first) {
				continue
			}
			deeper = deeper && (isDir || e.kind == directory)
			if !seen[first] {
				seen[first] = true
				tops = append(tops, first)
			}
		}
		if len(tops) != 1 || !deeper || prefix != "" || identify(tops[0]).system != "" {
			break
		}
		prefix = tops[0] + "/"
	}
	slices.Sort(tops)
	return prefix, tops
}
