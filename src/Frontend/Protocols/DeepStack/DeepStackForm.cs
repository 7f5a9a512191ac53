using System.Globalization;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>The fields that clients of DeepStack and CodeProject.AI send, in the form or in the query.</summary>
/// <param name="form">The form.</param>
/// <param name="query">The query: of some clients only the address can be set.</param>
internal sealed class DeepStackForm(UploadForm form, IQueryCollection query)
{
    public const string ImageField = "image";
    public const string ConfidenceField = "min_confidence";
    public const string MaxField = "max";
    public const string LabelsField = "labels";
    public const string KeyField = "api_key";

    private const int MostRows = 10_000;

    /// <exception cref="ProblemException">There is none.</exception>
    public PooledBytes ReadPicture() => form.Picture ?? throw new ProblemException(ProblemType.InvalidRequest, $"The form has no file named '{ImageField}'.");

    /// <summary>
    /// The lowest confidence: a fraction, or above 1 percent. Clients that write numbers as their country does send a decimal comma.
    /// </summary>
    /// <exception cref="ProblemException">It is neither.</exception>
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

    /// <summary>Most rows of the answer.</summary>
    /// <exception cref="ProblemException">It is no such number.</exception>
    public int? ReadMax() => Text(MaxField) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most is >= 1 and <= MostRows ? most
        : throw new ProblemException(ProblemType.InvalidRequest, $"The '{MaxField}' is '{CallerText.Show(text)}'. Use a whole number from 1 to {MostRows}.");

    /// <summary>Labels of the rows. A label that the model does not have is none of its objects': such clients ask every model for the same.</summary>
    public IReadOnlyCollection<string>? ReadLabels() => Text(LabelsField)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private string? Text(string name) =>
        form.Text(name) ?? (query.TryGetValue(name, out var values) && values is [{ } text] && !string.IsNullOrWhiteSpace(text) ? text : null);
}
