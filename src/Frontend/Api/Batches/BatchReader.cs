using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Api.Batches;

/// <summary>Reads the pictures of a batch one after the other: files of a multipart form, or lines of JSON.</summary>
internal sealed class BatchReader(UploadMemory memory, UploadTimeout timeout, UploadReader uploads, IOptions<DetectionClientOptions> client)
{
    private static ReadOnlySpan<byte> Blank => " \t\r\n"u8;

    /// <summary>Maximum number of characters of a picture's name in its line.</summary>
    private const int MaxName = 1000;

    private readonly int _maxPicture = UploadReader.MaxPictureBytes(client.Value);
    private readonly int _maxLine = (int)Math.Min(UploadReader.MaxBodyBytes(client.Value), Array.MaxLength - 1);

    /// <summary>Reads the pictures of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="known">Names of the parameters that a form may have before its files, and a line of JSON beside its picture.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">The content type is not supported.</exception>
    public IAsyncEnumerable<BatchPicture> ReadAsync(HttpRequest request, IReadOnlyCollection<string> known, CancellationToken cancellationToken)
    {
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            if (type.MediaType.Equals(MultipartBody.ContentType, StringComparison.OrdinalIgnoreCase))
            {
                return ReadFormAsync(request, MultipartBody.Open(request, type), new BodyFields(known), cancellationToken);
            }

            if (type.MediaType.Equals("application/x-ndjson", StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals("application/jsonl", StringComparison.OrdinalIgnoreCase))
            {
                return ReadLinesAsync(request.BodyReader, memory.ShareOf(request.HttpContext), known, cancellationToken);
            }
        }

        throw new ProblemException(ProblemType.UnsupportedMediaType, "Send the pictures as files of multipart/form-data, or their URLs as lines of application/x-ndjson.");
    }

    private async IAsyncEnumerable<BatchPicture> ReadFormAsync(
        HttpRequest request, MultipartSections sections, BodyFields fields, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var isFirst = true;
        while (await timeout.ApplyAsync(
            limited => MultipartBody.ReadAsync(request, () => ReadFileAsync(request, sections, fields, isFirst, limited)), cancellationToken) is { } picture)
        {
            isFirst = false;
            yield return picture;
        }
    }

    private async ValueTask<BatchPicture?> ReadFileAsync(
        HttpRequest request, MultipartSections sections, BodyFields fields, bool isFirst, CancellationToken cancellationToken)
    {
        while (await sections.ReadNextAsync(cancellationToken) is var (field, disposition, body))
        {
            if (!disposition.IsFileDisposition())
            {
                fields.RequireKnown(field);
                if (!isFirst)
                {
                    // The pictures before it are in progress already, without this parameter.
                    throw new ProblemException(ProblemType.InvalidRequest, $"The field '{field}' comes after a picture. Send the fields before the pictures.");
                }

                fields.Add(field, await BodyFields.ReadTextAsync(field, body, memory.ShareOf(request.HttpContext), cancellationToken));
                continue;
            }

            var name = Shown(HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString());
            try
            {
                return new BatchPicture(name, new Upload(await PooledBytes.ReadAsync(body, null, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken)) { Fields = fields.Texts }, null);
            }
            catch (ProblemException e)
            {
                // The reader skips the rest of this section and finds the next one.
                return new BatchPicture(name, null, e);
            }
        }

        return null;
    }

    private async IAsyncEnumerable<BatchPicture> ReadLinesAsync(
        PipeReader body, UploadShare share, IReadOnlyCollection<string> known, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await timeout.ApplyAsync(limited => ReadLineAsync(body, share, limited), cancellationToken) is { } line)
        {
            yield return Parse(line, known);
        }
    }

    private BatchPicture Parse(PooledBytes line, IReadOnlyCollection<string> known)
    {
        try
        {
            var upload = uploads.Parse(line, known);
            return new BatchPicture(Shown(upload.Url?.OriginalString), upload, null);
        }
        catch (ProblemException e)
        {
            return new BatchPicture(null, null, e);
        }
    }

    /// <summary>
    /// The next line that is not blank, without its line break; <see langword="null"/> at the end of the body. Blank lines are skipped
    /// here, within the time for one picture, because they do not count as pictures: a body of blank lines could be endless.
    /// </summary>
    private async ValueTask<PooledBytes?> ReadLineAsync(PipeReader body, UploadShare share, CancellationToken cancellationToken)
    {
        var line = new PooledBytes(share);
        try
        {
            while (true)
            {
                var read = await body.ReadAsync(cancellationToken);
                var start = line.Memory.IsEmpty ? SkipBlank(read.Buffer) : read.Buffer.Start;
                var rest = read.Buffer.Slice(start);
                var end = rest.PositionOf((byte)'\n');
                var part = end is { } found ? rest.Slice(0, found) : rest;
                try
                {
                    if (line.Memory.Length + part.Length > _maxLine)
                    {
                        throw new ProblemException(ProblemType.TooLarge, $"A line has more than {_maxLine} bytes.");
                    }

                    foreach (var segment in part)
                    {
                        line.Write(segment.Span);
                    }
                }
                finally
                {
                    // Also when the line is refused: the server cannot read the rest of the body before the reader has advanced.
                    body.AdvanceTo(end is { } at ? read.Buffer.GetPosition(1, at) : read.Buffer.End);
                }

                if (end is not null)
                {
                    return line;
                }

                if (read.IsCompleted)
                {
                    if (line.Memory.IsEmpty)
                    {
                        line.Dispose();
                        return null;
                    }

                    return line;
                }
            }
        }
        catch
        {
            line.Dispose();
            throw;
        }
    }

    private static string? Shown(string? name) => name is null ? null : CallerText.Show(name, MaxName);

    /// <summary>Position of the first byte that is not white space.</summary>
    private static SequencePosition SkipBlank(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        reader.AdvancePastAny(Blank);
        return reader.Position;
    }
}

/// <summary>One picture of a batch, or why there is none.</summary>
/// <param name="Name">Its file name or URL.</param>
/// <param name="Upload">The picture; the receiver disposes of it.</param>
/// <param name="Fault">What is wrong with it.</param>
internal sealed record BatchPicture(string? Name, Upload? Upload, ProblemException? Fault);
