using System.Globalization;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>The fields that clients of DeepStack and CodeProject.AI send, in the form or in the query.</summary>
/// <param name="form">The form.</param>
/// <param name="query">The query; some clients let their users set only the address.</param>
internal sealed class DeepStackForm(UploadForm form, IQueryCollection query)
{
    public const string ImageField = "image";
    public const string ConfidenceField = "min_confidence";
    public const string MaxField = "max";
    public const string LabelsField = "labels";
    public const string KeyField = "api_key";

    private const int MaxRows = 10_000;

    /// <exception cref="ProblemException">The form has no picture.</exception>
    public PooledBytes ReadPicture() => form.Picture ?? throw new ProblemException(ProblemType.InvalidRequest, $"The form has no file named '{ImageField}'.");

    /// <summary>
    /// The lowest confidence: a fraction, or percent when it is above 1. Some clients use the number format of their country and send a
    /// decimal comma.
    /// </summary>
    /// <exception cref="ProblemException">The value is not such a number.</exception>
    public float? ReadConfidence()
    {
        if (Text(ConfidenceField) is not { } text)
        {
            return null;
        }

        var number = text.Trim().TrimEnd('%').Replace(',', '.');
        return float.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 100
            ? value > 1 || text.Contains('%', StringComparison.Ordinal) ? value / 100 : value
            : throw new ProblemException(
                ProblemType.InvalidRequest, $"The '{ConfidenceField}' is '{CallerText.Show(text)}'. Use a number from 0 to 1, or percent up to 100.");
    }

    /// <summary>Maximum number of rows of the answer.</summary>
    /// <exception cref="ProblemException">The value is not such a number.</exception>
    public int? ReadMax() => Text(MaxField) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var max) && max is >= 1 and <= MaxRows ? max
        : throw new ProblemException(ProblemType.InvalidRequest, $"The '{MaxField}' is '{CallerText.Show(text)}'. Use a whole number from 1 to {MaxRows}.");

    /// <summary>Labels of the rows. Unknown labels are allowed, because these clients send the same labels to every model.</summary>
    public IReadOnlyCollection<string>? ReadLabels() => Text(LabelsField)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private string? Text(string name) =>
        form.Text(name) ?? (query.TryGetValue(name, out var values) && values is [{ } text] && !string.IsNullOrWhiteSpace(text) ? text : null);
}
