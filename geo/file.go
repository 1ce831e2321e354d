package geo

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// OpenFile opens a regular file for reading. Anything else is an error: a pipe
// would make whoever reads it wait for ever. Errors do not repeat the path.
func OpenFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plainPathError(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		_ = file.Close() // only read from
		return nil, plainPathError(err)
	}
	return file, nil
}

// plainPathError drops the operation and path of an *fs.PathError, which the
// message around it has already.
func plainPathError(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
