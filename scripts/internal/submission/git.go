package submission

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/workbook"
)

// repository is a git repository on disk, at one commit. Only its objects are read. Its configuration is a stranger's: the commands that are run, rev-parse,
// rev-list, ls-tree and cat-file, start no program that it may name, follow no replacement and fetch nothing. It must keep its objects itself: a repository
// that borrows them would be graded on what others wrote.
type repository struct {
	dir      string // with objects in it
	branch   string
	deadline time.Time
}

// gitTime is the wall time that one git command may take. None takes a second, unless a repository makes it wait or compute.
const gitTime = time.Minute

// gitDir returns the folder of the repository that dir is, or of its checkout. It is no error if dir is none.
func gitDir(dir string) (string, bool) {
	inside := filepath.Join(dir, ".git")
	if _, err := os.Lstat(inside); err == nil {
		return inside, true
	}
	for _, name := range []string{"objects", "refs", "HEAD"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			return "", false
		}
	}
	return dir, true
}

// needGit is an error if there is no git on the PATH.
func needGit(where string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return workbook.Errorf("install git, or hand the files over without the .git folder", "%s is a git repository, and there is no git on the PATH: %w", where, err)
	}
	return nil
}

func (r *repository) list(ctx context.Context) ([]entry, error) {
	if err := r.ownObjects(); err != nil {
		return nil, err
	}
	commit, at, err := r.commit(ctx)
	if err != nil {
		return nil, err
	}
	var all []entry
	err = r.git(ctx, "", func(out *bufio.Reader) error {
		for {
			line, err := out.ReadSlice(0)
			if err == io.EOF && len(line) == 0 {
				return nil
			}
			if err != nil {
				return err
			}
			if len(all) == maxEntries {
				return errEntries()
			}
			e := entry{time: at}
			if e.kind, e.id, e.name, err = treeLine(string(line[:len(line)-1])); err != nil {
				return err
			}
			all = append(all, e)
		}
	}, "ls-tree", "-r", "-z", "--full-tree", commit)
	return all, err
}

// treeLine reads "100644 blob 1f7a… TAB name".
func treeLine(line string) (k kind, id, name string, err error) {
	head, name, ok := strings.Cut(line, "\t")
	words := strings.Fields(head)
	if !ok || len(words) != 3 {
		return "", "", "", fmt.Errorf("git ls-tree printed %q", line)
	}
	switch words[0] {
	case "120000":
		k = link
	case "160000":
		k = module
	case "100644", "100755", "100664":
		k = regular
	default:
		k = special
	}
	return k, words[2], name, nil
}

// commit finds the commit that counts, and its time.
func (r *repository) commit(ctx context.Context) (id string, at time.Time, err error) {
	refs := []string{"HEAD"}
	if r.branch != "" {
		refs = []string{"refs/heads/" + r.branch, "refs/remotes/origin/" + r.branch}
	}
	for _, ref := range refs {
		if id, err = r.line(ctx, "rev-parse", "--verify", "--quiet", ref+"^{commit}"); err == nil {
			break
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return "", at, ctx.Err()
	case err != nil && r.branch != "":
		return "", at, fmt.Errorf("the repository has no branch %s", r.branch)
	case err != nil:
		return "", at, fmt.Errorf("the repository has no commit that is checked out: %w", err)
	}
	arguments := []string{"rev-list", "--timestamp", "--first-parent", "--max-count=1"}
	if !r.deadline.IsZero() {
		arguments = append(arguments, fmt.Sprintf("--min-age=%d", r.deadline.Unix()))
	}
	line, err := r.line(ctx, append(arguments, id, "--")...)
	if err != nil {
		return "", at, err
	}
	stamp, id, ok := strings.Cut(line, " ")
	if !ok {
		return "", at, fmt.Errorf("the repository has no commit up to the deadline, %s", r.deadline.Format("2006-01-02 15:04 MST"))
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	return id, time.Unix(seconds, 0), err
}

// line runs a command that prints at most one line.
func (r *repository) line(ctx context.Context, arguments ...string) (line string, err error) {
	err = r.git(ctx, "", func(out *bufio.Reader) error {
		text, err := io.ReadAll(io.LimitReader(out, 4096))
		line = strings.TrimSpace(string(text))
		return err
	}, arguments...)
	return line, err
}

func (r *repository) read(ctx context.Context, wanted []entry) ([]content, error) {
	all := make([]content, len(wanted))
	var small strings.Builder
	var which []int
	err := r.git(ctx, ids(wanted), func(out *bufio.Reader) error {
		for i, e := range wanted {
			size, err := objectSize(out)
			if err != nil {
				return err
			}
			switch {
			case size < 0:
				all[i].err = errors.New("the repository does not hold its content")
			case size > gate.Largest:
				all[i].data = make([]byte, gate.Largest+1) // what is in it does not matter
			default:
				which = append(which, i)
				fmt.Fprintln(&small, e.id)
			}
		}
		return nil
	}, "cat-file", "--batch-check")
	if err != nil || len(which) == 0 {
		return all, err
	}
	err = r.git(ctx, small.String(), func(out *bufio.Reader) error {
		for _, i := range which {
			size, err := objectSize(out)
			if err == nil && (size < 0 || size > gate.Largest) {
				err = errChanged
			}
			if err != nil {
				return err
			}
			all[i].data = make([]byte, size)
			if _, err := io.ReadFull(out, all[i].data); err != nil {
				return err
			}
			if _, err := out.Discard(1); err != nil {
				return err
			}
		}
		return nil
	}, "cat-file", "--batch")
	return all, err
}

func ids(entries []entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&b, e.id)
	}
	return b.String()
}

// objectSize reads "ID blob SIZE"; -1: it is missing, or no blob.
func objectSize(out *bufio.Reader) (int64, error) {
	line, err := out.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	words := strings.Fields(string(line))
	if len(words) != 3 || words[1] != "blob" {
		return -1, nil
	}
	return strconv.ParseInt(words[2], 10, 64)
}

// git runs a git command on the repository and calls f with what it prints. When f is done, so is the command.
func (r *repository) git(outer context.Context, input string, f func(out *bufio.Reader) error, arguments ...string) error {
	ctx, cancel := context.WithTimeout(outer, gitTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"--git-dir=" + r.dir, "--no-pager", "--no-replace-objects", "--literal-pathspecs",
		"-c", "advice.graftFileDeprecated=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false", "-c", "core.commitGraph=false", "-c", "core.multiPackIndex=false",
		"-c", "core.attributesFile=" + os.DevNull, "-c", "core.alternateRefsCommand=", "-c", "core.sshCommand=false", "-c", "core.askPass=false",
		"-c", "credential.helper=", "-c", "protocol.allow=never", "-c", "safe.directory=*",
	}, arguments...)...)
	cmd.Env = gitEnvironment(os.Environ())
	cmd.Dir = filepath.Dir(r.dir)
	cmd.Stdin = strings.NewReader(input)
	cmd.WaitDelay = time.Second
	said := &head{most: 400}
	cmd.Stderr = said
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = f(bufio.NewReader(pipe))
	if err != nil {
		cancel()
	}
	ended := cmd.Wait()
	switch {
	case outer.Err() != nil:
		return outer.Err()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("git took longer than %v to read the repository", gitTime)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case len(said.text) > 0 && ended != nil:
		return fmt.Errorf("git cannot read the repository: %s", strings.TrimSpace(string(said.text)))
	case ended != nil:
		return fmt.Errorf("git cannot read the repository: %w", ended)
	}
	return err
}

// gitEnvironment is env without what changes what git does, and with what keeps it from reading or starting more than it must.
func gitEnvironment(env []string) []string {
	var kept []string
	for _, pair := range env {
		name, _, _ := strings.Cut(pair, "=")
		switch name = strings.ToUpper(name); {
		case strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "SSH_"), strings.HasPrefix(name, "LC_"):
		case name == "HOME", name == "XDG_CONFIG_HOME", name == "PAGER", name == "EDITOR", name == "VISUAL", name == "LANG", name == "LANGUAGE":
		default:
			kept = append(kept, pair)
		}
	}
	return append(kept,
		"HOME="+os.DevNull, "XDG_CONFIG_HOME="+os.DevNull, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_GRAFT_FILE="+os.DevNull, "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=none", // goes before what a configuration allows
		"GIT_ALLOC_LIMIT=32m",     // of memory in one piece: an object may unpack to any size
	)
}

// head keeps the beginning of what is written to it.
type head struct {
	text []byte
	most int
}

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), h.most-len(h.text))]...)
	return len(p), nil
}

// ownObjects is nil if all that git reads lies in the repository's own folder, and reading it ends.
func (r *repository) ownObjects() error {
	for _, name := range []string{".", "objects", "refs"} {
		info, err := os.Lstat(filepath.Join(r.dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return errors.New("its .git folder is no repository: it has no " + name)
		case err != nil:
			return err
		case name == "." && info.Mode().IsRegular():
			return errors.New("its .git is a file that names a repository elsewhere: hand in a clone of its own")
		case !info.IsDir():
			return fmt.Errorf("in its repository %s is %s, and no folder", name, kindOf(info.Mode()))
		}
	}
	for _, name := range []string{"commondir", "objects/info/alternates", "objects/info/http-alternates"} {
		if _, err := os.Lstat(filepath.Join(r.dir, filepath.FromSlash(name))); err == nil {
			return fmt.Errorf("its repository borrows from another (%s): hand in a clone of its own", name)
		}
	}
	for _, name := range []string{"HEAD", "config", "config.worktree", "packed-refs", "shallow"} {
		info, err := os.Lstat(filepath.Join(r.dir, name))
		if err == nil && (!info.Mode().IsRegular() || info.Size() > 16<<20) {
			return fmt.Errorf("in its repository %s is %s of %d KiB, which git does not write so", name, kindOf(info.Mode()), info.Size()>>10)
		}
	}
	n := 0
	for _, dir := range []string{"objects", "refs"} {
		err := filepath.WalkDir(filepath.Join(r.dir, dir), func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if n++; n > 10*maxEntries {
				return errors.New("its repository has too many files: git gc packs them")
			}
			if d.IsDir() || d.Type().IsRegular() {
				return nil
			}
			return fmt.Errorf("in its repository %s is %s, and no file", d.Name(), kindOf(d.Type()))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
