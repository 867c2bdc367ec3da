package gateway

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"connectrpc.com/connect/v2"
)

const (
	codeOK     = "ok"
	grpcStatus = "Grpc-Status"
)

// codeNames are the names of gRPC's codes by number, which Connect has, too.
var codeNames = func() map[string]string {
	m := map[string]string{"0": codeOK}
	for c := connect.CodeCanceled; c <= connect.CodeUnauthenticated; c++ {
		m[strconv.Itoa(int(c))] = c.String()
	}
	return m
}()

// codeOfGRPC names a code; "" if there is no such code.
func codeOfGRPC(number string) string { return codeNames[number] }

// known returns the name of a code if it is one: a metric's labels are not for
// another program's text.
func known(name string) string {
	for _, n := range codeNames {
		if n == name {
			return n
		}
	}
	return ""
}

// codeOf returns the code of an answer whose body has not begun; "" if it is in
// the body or in the trailers. It may read the body of an error, and puts it back.
func codeOf(resp *http.Response) string {
	if n := resp.Header.Get(grpcStatus); n != "" {
		return codeOfGRPC(n)
	}
	media := resp.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(media, "application/grpc"), strings.HasPrefix(media, "application/connect+"):
		return ""
	case resp.StatusCode < http.StatusBadRequest:
		return codeOK
	case !strings.HasPrefix(media, "application/json"):
		return ""
	}
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxEnd))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failing{err}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), resp.Body}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		head = gunzip(head)
	}
	var e struct{ Code string }
	if json.Unmarshal(head, &e) != nil {
		return ""
	}
	return known(e.Code)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// stopMessage is for people; clients know the code.
const stopMessage = "the server is closing this stream: resume after the last message you received"

// endOfStream ends a stream with "unavailable": it returns the bytes that do, and
// sets the trailers where these do.
func endOfStream(resp *http.Response) []byte {
	media := resp.Header.Get("Content-Type")
	status := strconv.Itoa(int(connect.CodeUnavailable))
	switch {
	case strings.HasPrefix(media, "application/grpc-web"):
		return frame(endWeb, []byte("grpc-status: "+status+"\r\ngrpc-message: "+stopMessage+"\r\n"))
	case strings.HasPrefix(media, "application/grpc"):
		if resp.Trailer == nil {
			resp.Trailer = http.Header{}
		}
		resp.Trailer.Set(grpcStatus, status)
		resp.Trailer.Set("Grpc-Message", stopMessage)
		return nil
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": connect.CodeUnavailable.String(), "message": stopMessage}})
	return frame(endConnect, body)
}

func frame(flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(payload)))
	return append(b, payload...)
}
