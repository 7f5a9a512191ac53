namespace Detection.Frontend.Http.Uploads;

/// <summary>A form with one picture and some short texts.</summary>
/// <param name="picture">The picture, when there is one.</param>
/// <param name="texts">The texts by their names.</param>
internal sealed class UploadForm(PooledBytes? picture, IReadOnlyDictionary<string, string> texts) : IDisposable
{
    /// <summary>The encoded picture; <see langword="null"/> when the form has none. Valid until the form is disposed of.</summary>
    public PooledBytes? Picture => picture;

    /// <summary>A text; <see langword="null"/> when it is missing or blank.</summary>
    public string? Text(string name) => texts.TryGetValue(name, out var text) && !string.IsNullOrWhiteSpace(text) ? text : null;

    public void Dispose() => picture?.Dispose();
}
