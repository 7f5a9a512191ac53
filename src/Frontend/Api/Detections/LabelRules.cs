using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Api.Detections;

/// <summary>Refuses labels that the model does not have: an answer without objects would look like a picture without objects.</summary>
internal sealed class LabelRules(IDetectionClient client, IOptions<DetectionClientOptions> options)
{
    /// <exception cref="ProblemException">The model has no such label.</exception>
    public async Task RequireKnownAsync(DetectionOptions chosen, CancellationToken cancellationToken)
    {
        if (chosen.Labels is not { Count: > 0 } labels)
        {
            return;
        }

        var name = chosen.Model ?? options.Value.DefaultModel;
        var models = await client.GetModelsAsync(cancellationToken);
        if (models.FirstOrDefault(model => model.Id == name || model.Name == name) is not { } model)
        {
            // An older version, or an unknown model: the client decides which.
            return;
        }

        if (labels.FirstOrDefault(label => !model.Labels.Contains(label, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new ProblemException(
                ProblemType.InvalidRequest, $"The model '{model.Name}' has no label '{CallerText.Show(unknown)}'. {NearestName.Proposal(unknown, [.. model.Labels])}");
        }
    }
}
