using System.Net;
using System.Net.Http.Headers;

namespace Detection.Inference.Pulling;

/// <summary>How far a pull is.</summary>
/// <param name="File">The file that arrives.</param>
/// <param name="Bytes">Bytes of the model that have arrived.</param>
/// <param name="Total">Bytes of the file and those before it; <see langword="null"/> while that is not known.</param>
public readonly record struct PullProgress(string File, long Bytes, long? Total);

/// <summary>
/// Downloads one file into a part beside its place. A part that is there is continued: with the entity tag that it had (RFC 9110, 13.1.5) or, when the
/// hash of the whole is known, without.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="part">Path of the part.</param>
/// <param name="options">Limits of time.</param>
/// <param name="time">The clock.</param>
internal sealed class FileDownload(RemoteFile file, string part, PullOptions options, TimeProvider time)
{
    /// <summary>Failures in a row, without a byte between them, after which the download is given up.</summary>
    private const int MaxFailures = 5;

    private const int BufferBytes = 128 * 1024;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(5);
    private readonly string _tagFile = part + ".etag";

    /// <summary>Downloads the file and checks its hash. Afterwards the part is the whole file, and on the disk.</summary>
    /// <param name="http">Sends requests.</param>
    /// <param name="maxBytes">Maximum length.</param>
    /// <param name="onBytes">Called with the number of bytes that are there, and the length if it is known.</param>
    /// <param name="cancellationToken">Gives up; the part stays.</param>
    /// <exception cref="PullException">The file cannot be had, or is not the expected one.</exception>
    /// <exception cref="IOException">The part cannot be written.</exception>
    public async Task RunAsync(PullHttp http, long maxBytes, Action<long, long?> onBytes, CancellationToken cancellationToken)
    {
        for (var (failures, delay) = (0, options.RetryDelay); ;)
        {
            var before = LengthOfPart();
            try
            {
                await TransferAsync(http, maxBytes, onBytes, cancellationToken);
                await CheckAsync(cancellationToken);
                return;
            }
            catch (PullException e) when (e.MayPass)
            {
                (failures, delay) = LengthOfPart() > before ? (1, options.RetryDelay) : (failures + 1, delay);
                if (failures == MaxFailures)
                {
                    throw;
                }

                await Task.Delay(delay, time, cancellationToken);
                delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
            }
        }
    }

    private async Task TransferAsync(PullHttp http, long maxBytes, Action<long, long?> onBytes, CancellationToken cancellationToken)
    {
        var offset = LengthOfPart();
        var tag = offset > 0 && File.Exists(_tagFile) && EntityTagHeaderValue.TryParse(await File.ReadAllTextAsync(_tagFile, cancellationToken), out var known) ? known : null;
        if (offset == file.Length)
        {
            onBytes(offset, offset);
            return;
        }

        var continues = offset > 0 && !(offset > file.Length) && (tag is not null || file.Digest is not null);
        using var response = await http.SendAsync(file.Url, file.Credential, request => AskForRest(request, continues ? offset : 0, tag), cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                offset = 0;
                break;
            case HttpStatusCode.PartialContent when continues && response.Content.Headers.ContentRange?.From == offset:
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when continues && response.Content.Headers.ContentRange?.Length == offset:
                onBytes(offset, offset);
                return;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                Delete();
                throw new PullException($"{PullHttp.NameOf(file.Url)} answers with another part of {file.Name} than the one that was asked for.") { MayPass = continues };
            default:
                throw PullHttp.Refused(file.Url, response, file.Credential is not null);
        }

        await WriteAsync(http, response, offset, maxBytes, onBytes, cancellationToken);
    }

    private static void AskForRest(HttpRequestMessage request, long offset, EntityTagHeaderValue? tag)
    {
        if (offset > 0)
        {
            request.Headers.Range = new RangeHeaderValue(offset, null);
            request.Headers.IfRange = tag is null ? null : new RangeConditionHeaderValue(tag);
        }
    }

    private async Task WriteAsync(
        PullHttp http, HttpResponseMessage response, long offset, long maxBytes, Action<long, long?> onBytes, CancellationToken cancellationToken)
    {
        var total = offset + response.Content.Headers.ContentLength;
        RequireRoom(total ?? offset, offset, maxBytes);
        await using var body = await PullHttp.OpenAsync(file.Url, response, cancellationToken);
        await using var stream = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        if (stream.Length != offset)
        {
            stream.SetLength(offset);
        }

        // After the part was cut to what the tag belongs to, and before the first byte of the new file.
        await KeepTagAsync(response.Headers.ETag, cancellationToken);
        stream.Position = offset;
        var buffer = new byte[BufferBytes];
        for (int read; (read = await http.ReadAsync(file.Url, body, buffer, cancellationToken)) > 0;)
        {
            offset += read;
            RequireRoom(offset, offset, maxBytes);
            await stream.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None);
            onBytes(offset, total);
        }

        // The lengths of HTTP/1.0 end with the connection; those of HTTP/1.1 are checked by the handler too.
        if (offset < total)
        {
            throw new PullException($"{PullHttp.NameOf(file.Url)} sent {offset} of {total} bytes of {file.Name}.") { MayPass = true };
        }

        stream.Flush(flushToDisk: true);
    }

    private void RequireRoom(long length, long written, long maxBytes)
    {
        if (length > maxBytes)
        {
            Delete();
            throw new PullException($"{file.Name} of {PullHttp.NameOf(file.Url)} makes the model larger than {maxBytes} bytes, the limit ({nameof(PullOptions.MaxBytes)}).");
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(part))!;
        if (length > written && !OperatingSystem.IsWindows() && new DriveInfo(folder) is { IsReady: true } drive && drive.AvailableFreeSpace < length - written)
        {
            throw new PullException($"The disk of {folder} has {drive.AvailableFreeSpace} bytes left, and {file.Name} needs {length - written}. Free space there and pull again.");
        }
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (await IsPointerAsync(cancellationToken))
        {
            Delete();
            throw new PullException($"{PullHttp.NameOf(file.Url)} sent a Git LFS pointer in the place of {file.Name}. Use the address of the file itself, or hf:.");
        }

        if (file.Digest is { } digest && await digest.FindAsync(part, cancellationToken) is var found && found != digest.Hex)
        {
            Delete();
            throw new PullException($"{file.Name} of {PullHttp.NameOf(file.Url)} has the {(digest.IsGitBlob ? "git hash" : "SHA-256")} {found}, and {digest.Hex} is expected. It was deleted.");
        }
    }

    /// <summary>Whether the file only says what would be there, https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.</summary>
    private async Task<bool> IsPointerAsync(CancellationToken cancellationToken)
    {
        var start = new byte[42];
        await using var stream = File.OpenRead(part);
        var length = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken);
        return start.AsSpan(0, length).StartsWith("version https://git-lfs.github.com/spec/"u8);
    }

    private long LengthOfPart() => new FileInfo(part) is { Exists: true } there ? there.Length : 0;

    /// <summary>A weak tag cannot be used to continue.</summary>
    private async Task KeepTagAsync(EntityTagHeaderValue? tag, CancellationToken cancellationToken)
    {
        if (tag is { IsWeak: false })
        {
            await File.WriteAllTextAsync(_tagFile, tag.ToString(), cancellationToken);
        }
        else
        {
            File.Delete(_tagFile);
        }
    }

    private void Delete()
    {
        File.Delete(part);
        File.Delete(_tagFile);
    }
}
