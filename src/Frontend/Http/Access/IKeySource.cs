namespace Detection.Frontend.Http.Access;

/// <summary>Metadata of endpoints whose clients do not send the key in a header.</summary>
internal interface IKeySource
{
    /// <summary>The key; <see langword="null"/> when there is none.</summary>
    ValueTask<string?> FindAsync(HttpContext http);
}
