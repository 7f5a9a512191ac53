using System.Text;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Collects the parameters that stand beside a picture in a form or in JSON.</summary>
/// <param name="known">Names of the parameters that the endpoint has.</param>
internal sealed class BodyFields(IReadOnlyCollection<string> known)
{
    /// <summary>Most bytes of a parameter.</summary>
    public const int MaxBytes = 8 * 1024;

    private readonly Dictionary<string, string> _texts = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyDictionary<string, string> Texts => _texts;

    /// <exception cref="ProblemException">There is no such parameter, or it was sent before.</exception>
    public void Add(string name, string text)
    {
        RequireKnown(name);
        if (!_texts.TryAdd(name, text))
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The body has more than one '{CallerText.Show(name)}'. Send it once.");
        }
    }

    /// <exception cref="ProblemException">There is no such parameter.</exception>
    public void RequireKnown(string name)
    {
        if (!known.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ProblemException(
                ProblemType.InvalidRequest,
                $"The body has a field '{CallerText.Show(name)}' that is not known. {NearestName.Proposal(name, [UploadReader.ImageField, UploadReader.UrlField, .. known])}");
        }
    }

    /// <summary>The text of a field of a form.</summary>
    /// <exception cref="ProblemException">It is too long, or there is no memory for it.</exception>
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
