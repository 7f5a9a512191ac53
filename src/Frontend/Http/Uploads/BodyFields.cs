using System.Text;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Collects the parameters beside the picture in a form or in JSON.</summary>
/// <param name="known">Names of the endpoint's parameters.</param>
internal sealed class BodyFields(IReadOnlyCollection<string> known)
{
    /// <summary>Maximum number of bytes of a parameter.</summary>
    public const int MaxBytes = 8 * 1024;

    private readonly Dictionary<string, string> _texts = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyDictionary<string, string> Texts => _texts;

    /// <exception cref="ProblemException">The endpoint has no such parameter, or the body has it twice.</exception>
    public void Add(string name, string text)
    {
        RequireKnown(name);
        if (!_texts.TryAdd(name, text))
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The body has more than one '{CallerText.Show(name)}'. Send it once.");
        }
    }

    /// <exception cref="ProblemException">The endpoint has no such parameter.</exception>
    public void RequireKnown(string name)
    {
        if (!known.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ProblemException(
                ProblemType.InvalidRequest,
                $"The body has the unknown field '{CallerText.Show(name)}'. {NearestName.Proposal(name, [UploadReader.ImageField, UploadReader.UrlField, .. known])}");
        }
    }

    /// <summary>Reads the text of a form's field.</summary>
    /// <exception cref="ProblemException">The text is too long, or the upload memory is used.</exception>
    public static async ValueTask<string> ReadTextAsync(string name, Stream body, UploadShare share, CancellationToken cancellationToken)
    {
        using var bytes = new PooledBytes(share);
        var rest = MaxBytes + 1;
        while (rest > 0 && await body.ReadAsync(bytes.GetMemory()[..Math.Min(rest, bytes.GetMemory().Length)], cancellationToken) is > 0 and var read)
        {
            bytes.Advance(read);
            rest -= read;
        }

        return rest > 0
            ? Encoding.UTF8.GetString(bytes.Span)
            : throw new ProblemException(ProblemType.InvalidRequest, $"The field '{CallerText.Show(name)}' has more than {MaxBytes} bytes.");
    }
}
