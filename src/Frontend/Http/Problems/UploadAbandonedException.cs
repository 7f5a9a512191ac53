namespace Detection.Frontend.Http.Problems;

/// <summary>The body ended before its time: its sender has left.</summary>
internal sealed class UploadAbandonedException(Exception inner) : Exception("The body ended before its time.", inner);
