namespace Detection.Frontend.Http.Problems;

/// <summary>The client disconnected before it had sent the whole body.</summary>
internal sealed class UploadAbandonedException(Exception inner) : Exception("The client disconnected before the end of the body.", inner);
