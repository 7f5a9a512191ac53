namespace Detection.Inference.Manifest;

/// <summary>A model that cannot be used. The message is one sentence that says what to change.</summary>
/// <param name="message">The sentence. It may contain names from the file: it is cut to a maximum length, and invalid characters become '?'.</param>
/// <param name="inner">The cause.</param>
public class ModelException(string message, Exception? inner = null) : Exception(Plain(message), inner)
{
    /// <summary>Room for the 80 names of COCO; a file's own names may have megabytes.</summary>
    private const int MaxLength = 2000;

    private static string Plain(string message)
    {
        if (message.Length <= MaxLength && !message.Any(char.IsControl))
        {
            return message;
        }

        string cut = message.Length <= MaxLength ? message : $"{message.AsSpan(0, MaxLength)}…";
        return string.Concat(cut.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? '?' : c));
    }
}
