#pragma once

#include "intents.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assistant::offline {

/// Ranks intents by the cosine between a message and the sum of an intent's examples, both as TF-IDF vectors
/// (Rocchio's classifier; Salton & Buckley's weights: (1 + log tf) · (log((1 + N) / (1 + df)) + 1)).
/// On the development cases it beat nearest neighbours, naive Bayes and a linear SVM over the same features.
class Classifier {
  public:
    Classifier(std::vector<Intent> intents, Language language);

    struct Match {
        const Intent* intent;
        double score;  ///< cosine, 0 to 1
    };
    /// The best `count` intents, best first.
    std::vector<Match> rank(std::string_view message, std::size_t count) const;
    const std::vector<Intent>& intents() const { return intents_; }

  private:
    struct Posting {
        std::uint32_t intent;
        float weight;
    };
    using Vector = std::vector<std::pair<std::uint32_t, double>>;
    Vector vector_of(const std::vector<std::string>& features) const;

    std::vector<Intent> intents_;
    Language language_;
    std::unordered_map<std::string, std::uint32_t> vocabulary_;
    std::vector<double> idf_;
    std::vector<std::vector<Posting>> postings_;  ///< by feature: the intents whose centroid has it
};

}  // namespace assistant::offline
