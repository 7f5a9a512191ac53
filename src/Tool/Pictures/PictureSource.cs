namespace Detection.Tool.Pictures;

/// <summary>A picture that has not been read yet.</summary>
/// <param name="Name">The file or address from the command line.</param>
/// <param name="ReadAsync">Reads the encoded picture.</param>
internal sealed record PictureSource(string Name, Func<CancellationToken, Task<byte[]>> ReadAsync);
